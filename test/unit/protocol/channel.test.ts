import { describe, expect, it } from 'vitest';
import {
  covers,
  hasWildcard,
  isChannelName,
  isSegment,
  matches,
  overlaps,
  parsePattern,
} from '../../../src/protocol/channel.ts';

const split = (text: string): string[] => text.split('.');

describe('a channel name', () => {
  const sixteen = Array(16).fill('s').join('.');
  it.each([
    ['a'],
    ['room.42'],
    ['a.$b'],
    ['!.~'],
    ['{sub}'],
    ['A/b+c=d@e,f-g?h:i'],
    [sixteen],
    ['x'.repeat(200)],
    [`${'x'.repeat(99)}.${'y'.repeat(100)}`],
  ])('may be %j', (name) => {
    expect(isChannelName(name)).toBe(true);
  });

  it.each([
    ['empty', ''],
    ['an empty segment', 'a..b'],
    ['a leading dot', '.a'],
    ['a trailing dot', 'a.'],
    ['a space', 'a b'],
    ['a delete character', 'a\x7f'],
    ['a control character', 'a\n'],
    ['a newline at the end', 'room\n'],
    ['a letter outside ASCII', 'caf\u00e9'],
    ['a star', 'a.*'],
    ['a star inside a segment', 'a*b'],
    ['a rest wildcard', 'a.>'],
    ['a rest wildcard inside a segment', 'a>b'],
    ['a reserved name', '$audit'],
    ['a reserved name of two segments', '$a.b'],
    ['17 segments', `${sixteen}.s`],
    ['201 bytes', 'x'.repeat(201)],
    ['201 bytes in two segments', `${'x'.repeat(100)}.${'y'.repeat(100)}`],
  ])('is refused with %s', (_, name) => {
    expect(isChannelName(name)).toBe(false);
  });

  it('takes exactly the printable ASCII characters but dot, star and greater-than in a segment', () => {
    const taken = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code)).filter(isSegment);
    const allowed = Array.from({ length: 0x7e - 0x21 + 1 }, (_, i) => String.fromCharCode(0x21 + i));
    expect(taken).toEqual(allowed.filter((character) => !'.*>'.includes(character)));
  });
});

describe('a pattern', () => {
  it.each([['a'], ['*'], ['>'], ['*.>'], ['a.*.b'], ['a.*.*.>'], ['dm.>']])('may be %j', (text) => {
    expect(parsePattern(text)).toEqual(split(text));
  });

  it.each([
    ['>.a'],
    ['a.>.b'],
    ['a*'],
    ['*a'],
    ['a>'],
    ['>>'],
    ['**'],
    ['a..*'],
    ['$x.*'],
    ['$audit'],
    [''],
    ['.'],
    ['a. '],
  ])('is refused when it is %j', (text) => {
    expect(parsePattern(text)).toBeUndefined();
  });

  it('keeps to the same bounds as a name', () => {
    expect(parsePattern(Array(16).fill('*').join('.'))).toHaveLength(16);
    expect(parsePattern(Array(17).fill('*').join('.'))).toBeUndefined();
    expect(parsePattern(`${'x'.repeat(198)}.>`)).toHaveLength(2);
    expect(parsePattern(`${'x'.repeat(199)}.>`)).toBeUndefined();
  });

  it('is told from a name by its wildcards', () => {
    expect(['a.b', 'a.*', '>', 'x*y'].map(hasWildcard)).toEqual([false, true, true, true]);
  });

  it.each([
    ['team.*.news', 'team.a.news', true],
    ['team.*.news', 'team.news', false],
    ['team.*.news', 'team.a.b.news', false],
    ['dm.>', 'dm.a', true],
    ['dm.>', 'dm.a.b', true],
    ['dm.>', 'dm', false],
    ['>', 'a', true],
    ['>', 'a.b.c.d', true],
    ['a.b', 'a.b', true],
    ['a.b', 'a.B', false],
    ['*', 'a.b', false],
  ])('%j matches %j: %j', (pattern, name, expected) => {
    expect(matches(split(pattern), split(name))).toBe(expected);
  });

  it.each([
    ['>', 'a.*', true],
    ['>', '>', true],
    ['a.>', 'a.b.*', true],
    ['a.>', 'a', false],
    ['a.*', 'a.>', false],
    ['a.*', 'a.*', true],
    ['a.b', 'a.*', false],
    ['*.>', '>', false],
    ['*.*', 'a.b', true],
    ['*', '>', false],
  ])('%j covers %j: %j', (outer, inner, expected) => {
    expect(covers(split(outer), split(inner))).toBe(expected);
  });

  it.each([
    ['a.*', '*.b', true],
    ['a.*', 'b.*', false],
    ['a.>', 'a', false],
    ['a.>', '*.*.c', true],
    ['>', '*', true],
    ['a', 'a', true],
    ['a.b', 'a.b.c', false],
    ['a.*.>', 'a.b', false],
  ])('%j and %j overlap: %j', (a, b, expected) => {
    expect(overlaps(split(a), split(b))).toBe(expected);
    expect(overlaps(split(b), split(a))).toBe(expected);
  });
});

import { describe, expect, it } from 'vitest';
import { lettersOf, parseGrant, parseLetters } from '../../../src/core/grants.ts';

describe('letters', () => {
  it.each([
    ['r', 1],
    ['w', 2],
    ['p', 4],
    ['a', 8],
    ['rw', 3],
    ['wr', 3],
    ['rwpa', 15],
    ['pawr', 15],
  ])('%j mean the bits %d', (letters, bits) => {
    expect(parseLetters(letters)).toBe(bits);
    expect(lettersOf(bits)).toBe([...'rwpa'].filter((letter) => letters.includes(letter)).join(''));
  });

  it.each(['', 'rr', 'rwr', 'x', 'R', 'rw ', 'r,w', 'constructor', 'toString'])('%j mean nothing', (letters) => {
    expect(parseLetters(letters)).toBeUndefined();
  });
});

describe('a grant', () => {
  it('has a pattern and permissions', () => {
    expect(parseGrant('team.*.news', 'rp')).toEqual({ pattern: ['team', '*', 'news'], permissions: 5 });
    expect(parseGrant('>', 'w')).toEqual({ pattern: ['>'], permissions: 2 });
  });

  it.each([
    ['a..b', 'r'],
    ['$audit', 'a'],
    ['', 'r'],
    ['a', ''],
    ['a', 'rx'],
    ['a', 5],
    ['a', null],
    ['a', ['r']],
    ['a', undefined],
  ])('is refused when it is %j: %j', (text, letters) => {
    expect(parseGrant(text, letters)).toBeTypeOf('string');
  });
});

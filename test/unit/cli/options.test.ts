import { describe, expect, it } from 'vitest';
import { parseDuration, parseGrantOption } from '../../../src/cli/options.ts';
import { RelayError } from '../../../src/errors.ts';

describe('a duration', () => {
  it.each([
    ['90s', 90],
    ['15m', 900],
    ['1h', 3600],
    ['7d', 604_800],
    ['0s', 0],
    ['999999999s', 999_999_999],
  ])('of %s is %d seconds', (text, seconds) => {
    expect(parseDuration(text)).toBe(seconds);
  });

  it.each([
    '',
    'h',
    '1',
    '1w',
    '-1h',
    '1.5h',
    '1h30m',
    ' 1h',
    '1h\n',
    '1H',
    '1e3s',
    '\u0661h',
    '1000000000s',
    '1constructor',
  ])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow(RelayError);
  });
});

describe('a grant option', () => {
  it.each([
    ['room.>=rw', ['room.>', 'rw']],
    ['a=b=r', ['a=b', 'r']],
    ['room=', ['room', '']],
  ])('%s is divided at its last equals sign', (text, expected) => {
    expect(parseGrantOption('--can', text)).toEqual(expected);
  });

  it.each(['room', '', '=rw'])('%j is none, and the option is named', (text) => {
    expect(() => parseGrantOption('--can', text)).toThrow(/--can/);
  });
});

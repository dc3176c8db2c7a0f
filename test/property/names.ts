import fc from 'fast-check';
import type { Pattern } from '../../src/protocol/channel.ts';

const LETTERS = ['a', 'b', 'z'] as const;
const MAX_NAME_SEGMENTS = 4;
const MAX_PATTERN_SEGMENTS = 3;

/**
 * Every name of up to four segments over three letters. Patterns here use two of them and at most three segments, so that whatever tells
 * two patterns apart shows in one of these names.
 */
export const NAMES: readonly Pattern[] = namesUpTo(MAX_NAME_SEGMENTS);

function namesUpTo(length: number): string[][] {
  if (length === 0) return [];
  const shorter = namesUpTo(length - 1);
  const longest = shorter.filter((name) => name.length === length - 1);
  return [...shorter, ...(length === 1 ? [[]] : longest).flatMap((name) => LETTERS.map((letter) => [...name, letter]))];
}

/** Patterns over two letters, `*` and a last `>`. */
export const patterns: fc.Arbitrary<Pattern> = fc
  .tuple(
    fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: MAX_PATTERN_SEGMENTS - 1 }),
    fc.constantFrom('a', 'b', '*', '>'),
  )
  .map(([head, last]) => [...head, last]);

/** Whether a pattern matches a name, by the words of docs/PROTOCOL.md, section 5, as a regular expression. */
export function isMatch(pattern: Pattern, name: Pattern): boolean {
  const parts = pattern.map((segment) => (segment === '*' ? '[^.]+' : segment === '>' ? '[^.]+(\\.[^.]+)*' : segment));
  return new RegExp(`^${parts.join('\\.')}$`).test(name.join('.'));
}

/** The names that a pattern matches. */
export function namesOf(pattern: Pattern): Pattern[] {
  return NAMES.filter((name) => isMatch(pattern, name));
}

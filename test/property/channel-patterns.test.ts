import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { covers, isChannelName, matches, overlaps, parsePattern } from '../../src/protocol/channel.ts';
import { isMatch, NAMES, namesOf, patterns } from './names.ts';

const RUNS = { numRuns: 1000 };

describe('patterns over a small alphabet', () => {
  it('match exactly the names that the words of the document say', () => {
    fc.assert(
      fc.property(patterns, (pattern) => {
        expect(NAMES.filter((name) => matches(pattern, name))).toEqual(namesOf(pattern));
      }),
      RUNS,
    );
  });

  it('cover each other exactly when one matches every name of the other', () => {
    fc.assert(
      fc.property(patterns, patterns, (outer, inner) => {
        expect(covers(outer, inner)).toBe(namesOf(inner).every((name) => isMatch(outer, name)));
      }),
      RUNS,
    );
  });

  it('overlap exactly when some name is matched by both', () => {
    fc.assert(
      fc.property(patterns, patterns, (a, b) => {
        expect(overlaps(a, b)).toBe(namesOf(a).some((name) => isMatch(b, name)));
      }),
      RUNS,
    );
  });
});

describe('the grammar', () => {
  const near = fc.string({
    unit: fc.constantFrom('a', '.', '*', '>', '$', ' ', '~', '!', '\x7f', '\n', '\u00e9', '-'),
    maxLength: 8,
  });
  const long = fc.array(fc.string({ unit: fc.constantFrom('a', '~'), minLength: 1, maxLength: 60 }), { maxLength: 18 });
  const texts = fc.oneof(
    near,
    long.map((segments) => segments.join('.')),
    fc.string(),
  );

  it('takes as a name what the document calls one, and nothing else', () => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(isChannelName(text)).toBe(isName(text));
      }),
      { numRuns: 5000 },
    );
  });

  it('takes as a pattern a name in which segments were replaced by wildcards, and nothing else', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const segments = text.split('.');
        const plain = segments.map((segment, i) =>
          segment === '*' || (segment === '>' && i === segments.length - 1) ? 'x' : segment,
        );
        expect(parsePattern(text)).toEqual(isName(plain.join('.')) ? segments : undefined);
      }),
      { numRuns: 5000 },
    );
  });
});

/** Section 5 of docs/PROTOCOL.md, sentence by sentence. */
function isName(text: string): boolean {
  const segments = text.split('.');
  const isSegment = (segment: string): boolean =>
    segment.length > 0 && [...segment].every((c) => c >= '!' && c <= '~' && c !== '*' && c !== '>');
  return segments.length <= 16 && Buffer.byteLength(text) <= 200 && segments.every(isSegment) && text[0] !== '$';
}

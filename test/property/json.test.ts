import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/json.ts';

/** What JSON.parse makes of a text; undefined when it throws. */
function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** A value as text in which names may repeat, whether one does, and the value as pairs of names and values, so that no engine has a say in it. */
type Written = { readonly text: string; readonly repeats: boolean; readonly pairs: unknown };

/** What was read, as pairs. */
function pairsOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pairsOf);
  if (typeof value !== 'object' || value === null) return value;
  return { members: new Map(Object.entries(value).map(([key, item]) => [key, pairsOf(item)])) };
}

const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'é', '"', '\\', '');
/** Every character of a name may be written as an escape. */
const spelled = fc
  .tuple(name, fc.boolean())
  .map(
    ([text, isEscaped]) =>
      [
        text,
        isEscaped
          ? `"${[...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
          : JSON.stringify(text),
      ] as const,
  );
const space = fc.constantFrom('', ' ', '\n', '\t\r\n');
const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { maxDepth: 5 },
    fc
      .jsonValue({ maxDepth: 0 })
      .map((value) => JSON.stringify(value))
      .map((text) => ({ text, repeats: false, pairs: pairsOf(JSON.parse(text)) })),
    fc.tuple(space, fc.array(tie('written'), { maxLength: 4 })).map(([gap, items]) => ({
      text: `[${gap}${items.map(({ text }) => text).join(`${gap},`)}${gap}]`,
      repeats: items.some(({ repeats }) => repeats),
      pairs: items.map(({ pairs }) => pairs),
    })),
    fc.tuple(space, fc.array(fc.tuple(spelled, tie('written')), { maxLength: 4 })).map(([gap, members]) => ({
      text: `{${gap}${members.map(([[, key], { text }]) => `${key}${gap}:${gap}${text}`).join(`${gap},${gap}`)}}`,
      repeats:
        new Set(members.map(([[key]]) => key)).size < members.length || members.some(([, { repeats }]) => repeats),
      pairs: { members: new Map(members.map(([[key], { pairs }]) => [key, pairs])) },
    })),
  ),
}));

describe('strict JSON', () => {
  it('is read as it was written, but for a name that is twice in one object, however it is spelled', () => {
    fc.assert(
      fc.property(written, ({ text, repeats, pairs }) => {
        const read = parseJson(text);
        expect('value' in read).toBe(!repeats);
        if ('value' in read) expect(pairsOf(read.value)).toEqual(pairs);
        else expect(read.problem).toMatch(/ is there twice$/);
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused wherever JSON.parse refuses it, with a place that lies in the text', () => {
    const edit = fc.tuple(
      fc.nat(),
      fc.nat(3),
      fc.constantFrom('', ',', ':', '"', '}', ']', '{', '0', '-', '\\', '/**/', '\u0000', '\ufeff'),
    );
    fc.assert(
      fc.property(written, edit, ({ text }, [at, count, put]) => {
        const start = at % (text.length + 1);
        const changed = text.slice(0, start) + put + text.slice(start + count);
        const read = parseJson(changed);
        const expected = parsed(changed);
        if (expected === undefined || 'problem' in read) {
          expect(read).toHaveProperty('problem');
          const { line, column } = read as { line: number; column: number };
          expect(line).toBeLessThanOrEqual(changed.split('\n').length);
          expect(column).toBeLessThanOrEqual((changed.split('\n')[line - 1]?.length ?? 0) + 1);
          if (expected !== undefined) expect(read).toMatchObject({ problem: expect.stringMatching(/twice$/) });
        } else if (!changed.includes('\\')) expect(read).toEqual(expected); // Node 24 and 25 may misread escaped names
      }),
      { numRuns: 5000 },
    );
  });
});

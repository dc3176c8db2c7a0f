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

/** A value as text in which names may repeat, and whether one does. */
type Written = { readonly text: string; readonly repeats: boolean };

const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'é', '"', '\\', '');
/** Every character of a name may be written as an escape. */
const spelled = fc
  .tuple(name, fc.boolean())
  .map(([text, isEscaped]) =>
    isEscaped
      ? `"${[...text].map((char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"`
      : JSON.stringify(text),
  );
const space = fc.constantFrom('', ' ', '\n', '\t\r\n');
const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { maxDepth: 5 },
    fc.jsonValue({ maxDepth: 0 }).map((value) => ({ text: JSON.stringify(value), repeats: false })),
    fc.tuple(space, fc.array(tie('written'), { maxLength: 4 })).map(([gap, items]) => ({
      text: `[${gap}${items.map(({ text }) => text).join(`${gap},`)}${gap}]`,
      repeats: items.some(({ repeats }) => repeats),
    })),
    fc.tuple(space, fc.array(fc.tuple(spelled, tie('written')), { maxLength: 4 })).map(([gap, members]) => ({
      text: `{${gap}${members.map(([key, { text }]) => `${key}${gap}:${gap}${text}`).join(`${gap},${gap}`)}}`,
      repeats:
        new Set(members.map(([key]) => JSON.parse(key))).size < members.length ||
        members.some(([, { repeats }]) => repeats),
    })),
  ),
}));

describe('strict JSON', () => {
  it('is what JSON.parse takes, but for a name that is twice in one object, however it is spelled', () => {
    fc.assert(
      fc.property(written, ({ text, repeats }) => {
        const read = parseJson(text);
        expect('value' in read).toBe(!repeats);
        if ('value' in read) expect(read).toEqual(parsed(text));
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
        } else expect(read).toEqual(expected);
      }),
      { numRuns: 5000 },
    );
  });
});

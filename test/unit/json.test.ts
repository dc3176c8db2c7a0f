import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/json.ts';

describe('a fault of a JSON text', () => {
  it.each<[string, number, number, string]>([
    ['', 1, 1, 'expected a value'],
    ['  \n ', 2, 2, 'expected a value'],
    ['{', 1, 2, 'expected a name in double quotes or }'],
    ['{"a": 1,}', 1, 9, 'expected a name in double quotes'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'expected , or }'],
    ['{\n  a: 1\n}', 2, 3, 'expected a name in double quotes or }'],
    ["{'a': 1}", 1, 2, 'expected a name in double quotes or }'],
    ['{"a" 1}', 1, 6, 'expected :'],
    ['{"a": }', 1, 7, 'expected a value'],
    ['[1, 2', 1, 6, 'expected , or ]'],
    ['[1, ]', 1, 5, 'expected a value'],
    ['[1 }', 1, 4, 'expected , or ]'],
    ['{} {}', 1, 4, 'expected nothing more'],
    ['// note\n{}', 1, 1, 'expected a value'],
    ['{"a": 01}', 1, 8, 'expected , or }'],
    ['{"a": "b\nc"}', 1, 7, 'expected a value'],
    ['{"a": NaN}', 1, 7, 'expected a value'],
    ['{"k": 1, "x": [0, {"y": 1, "y": 2}]}', 1, 28, 'x.1.y is there twice'],
    ['{"k": 1,\n "\\u006b": 2}', 2, 2, 'k is there twice'],
    ['{"__proto__": 1, "__proto__": 1}', 1, 18, '__proto__ is there twice'],
  ])('in %j is at line %i, column %i: %s', (text, line, column, problem) => {
    expect(parseJson(text)).toEqual({ line, column, problem });
  });

  it('never quotes a value', () => {
    for (const text of ['{"k": "top-secret" x', '{"k": top-secret}', '["top-secret" "top-secret"]', '"top-secret'])
      expect(JSON.stringify(parseJson(text))).not.toContain('secret');
  });

  it('is found in deep and in long texts without running out of stack', () => {
    expect(parseJson('['.repeat(1_000_000))).toMatchObject({ column: 1_000_001 });
    expect(parseJson(`"${'\\n'.repeat(1_000_000)}"`)).toEqual({ value: '\n'.repeat(1_000_000) });
  });
});

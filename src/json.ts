/** What is wrong with a text that should be JSON, and where; lines and columns count from 1. Nothing of the text's values is in it. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** What was expected there, or, for a name that stands twice in one object, its path. */
  readonly problem: string;
}

/** An object or list that is being read, and where in it reading is. */
interface Level {
  readonly value: object | unknown[];
  at: string | number;
}

/** What may come next. */
type Expected =
  | 'a value'
  | 'a value or ]'
  | 'a name in double quotes'
  | 'a name in double quotes or }'
  | ':'
  | ', or an end';

/** What an assignment makes of a member. */
const PLAIN = { writable: true, enumerable: true, configurable: true } as const;

/** One token of RFC 8259, and the white space before it. */
const TOKEN =
  /[ \t\n\r]*([{}[\],:]|"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

/**
 * Parses JSON in which no object has a name twice (RFC 8259, section 4, leaves open what that would mean). It asks JSON.parse for single
 * strings and numbers only: in Node 24 and 25, that takes some members with an escape in their name for others.
 */
export function parseJson(text: string): { readonly value: unknown } | JsonFault {
  const levels: Level[] = [];
  let value: unknown;
  let expected: Expected = 'a value';
  let end = 0;
  for (;;) {
    TOKEN.lastIndex = end;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) {
      const isOver = levels.length === 0 && expected === ', or an end' && /^[ \t\n\r]*$/.test(text.slice(end));
      return isOver ? { value } : faultAt(text, end, expectation(expected, levels));
    }
    const level = levels.at(-1);
    const depth = levels.length;
    const next = after(token, expected, levels);
    if (next === undefined) return faultAt(text, end, expectation(expected, levels));
    if (next === ':' && level !== undefined) {
      level.at = JSON.parse(token) as string; // a token in quotes
      if (Object.hasOwn(level.value, level.at)) return faultAt(text, end, `${pathOf(levels)} is there twice`);
    } else if (expected.startsWith('a value') && token !== ']') {
      const read: unknown = levels.length > depth ? levels.at(-1)?.value : JSON.parse(token);
      if (level === undefined) value = read;
      else Object.defineProperty(level.value, level.at, { value: read, ...PLAIN }); // also where the name is __proto__
    }
    expected = next;
    end = TOKEN.lastIndex;
  }
}

/** What may follow a token that stands where `expected` was; undefined when the token may not stand there. Opens and closes levels. */
function after(token: string, expected: Expected, levels: Level[]): Expected | undefined {
  const level = levels.at(-1);
  if (expected === ':') return token === ':' ? 'a value' : undefined;
  if (expected === 'a name in double quotes' || (expected === 'a name in double quotes or }' && token !== '}'))
    return token.startsWith('"') ? ':' : undefined;
  if (expected === ', or an end' && token === ',') {
    if (level === undefined) return undefined;
    if (typeof level.at === 'string') return 'a name in double quotes';
    level.at++;
    return 'a value';
  }
  if (token === '}' || token === ']') {
    const isClosable = expected !== 'a value' && level !== undefined && Array.isArray(level.value) === (token === ']');
    if (isClosable) levels.pop();
    return isClosable ? ', or an end' : undefined;
  }
  if (expected === ', or an end' || token === ':' || token === ',') return undefined;
  if (token === '{') levels.push({ value: {}, at: '' });
  if (token === '[') levels.push({ value: [], at: 0 });
  if (token === '{') return 'a name in double quotes or }';
  return token === '[' ? 'a value or ]' : ', or an end';
}

function expectation(expected: Expected, levels: readonly Level[]): string {
  if (expected !== ', or an end') return `expected ${expected}`;
  const level = levels.at(-1);
  if (level === undefined) return 'expected nothing more';
  return Array.isArray(level.value) ? 'expected , or ]' : 'expected , or }';
}

function pathOf(levels: readonly Level[]): string {
  return levels.map(({ at }) => at).join('.');
}

function faultAt(text: string, end: number, problem: string): JsonFault {
  const before = text.slice(0, end + (/^[ \t\n\r]*/.exec(text.slice(end))?.[0].length ?? 0));
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n'), problem };
}

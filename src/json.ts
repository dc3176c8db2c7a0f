/** What is wrong with a text that should be JSON, and where; lines and columns count from 1. Nothing of the text's values is in it. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  /** What was expected there, or, for a name that stands twice in one object, its path. */
  readonly problem: string;
}

/** An object or list that is being read: the names seen so far, or null in a list, and where in it reading is. */
interface Level {
  readonly names: Set<string> | null;
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

/** One token of RFC 8259, and the white space before it. */
const TOKEN =
  /[ \t\n\r]*([{}[\],:]|"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

/** Parses JSON in which no object has a name twice (RFC 8259, section 4, leaves open what that would mean). */
export function parseJson(text: string): { readonly value: unknown } | JsonFault {
  return faultOf(text) ?? { value: JSON.parse(text) };
}

function faultOf(text: string): JsonFault | undefined {
  const levels: Level[] = [];
  let expected: Expected = 'a value';
  let end = 0;
  for (;;) {
    TOKEN.lastIndex = end;
    const token = TOKEN.exec(text)?.[1];
    if (token === undefined) {
      const isOver = levels.length === 0 && expected === ', or an end' && /^[ \t\n\r]*$/.test(text.slice(end));
      return isOver ? undefined : faultAt(text, end, expectation(expected, levels));
    }
    const level = levels.at(-1);
    const next = after(token, expected, levels);
    if (next === undefined) return faultAt(text, end, expectation(expected, levels));
    if (next === ':' && level !== undefined) {
      level.at = JSON.parse(token) as string; // a token in quotes
      if (level.names?.has(level.at)) return faultAt(text, end, `${pathOf(levels)} is there twice`);
      level.names?.add(level.at);
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
    const isClosable = expected !== 'a value' && level !== undefined && (level.names === null) === (token === ']');
    if (isClosable) levels.pop();
    return isClosable ? ', or an end' : undefined;
  }
  if (expected === ', or an end' || token === ':' || token === ',') return undefined;
  if (token === '{') levels.push({ names: new Set(), at: '' });
  if (token === '[') levels.push({ names: null, at: 0 });
  if (token === '{') return 'a name in double quotes or }';
  return token === '[' ? 'a value or ]' : ', or an end';
}

function expectation(expected: Expected, levels: readonly Level[]): string {
  if (expected !== ', or an end') return `expected ${expected}`;
  const level = levels.at(-1);
  if (level === undefined) return 'expected nothing more';
  return level.names === null ? 'expected , or ]' : 'expected , or }';
}

function pathOf(levels: readonly Level[]): string {
  return levels.map(({ at }) => at).join('.');
}

function faultAt(text: string, end: number, problem: string): JsonFault {
  const before = text.slice(0, end + (/^[ \t\n\r]*/.exec(text.slice(end))?.[0].length ?? 0));
  return { line: before.split('\n').length, column: before.length - before.lastIndexOf('\n'), problem };
}

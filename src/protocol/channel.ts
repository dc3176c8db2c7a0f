/** Longest channel name or pattern, in bytes. */
export const MAX_CHANNEL_BYTES = 200;
/** Most segments in a channel name or pattern. */
export const MAX_SEGMENTS = 16;

const ONE = '*';
const REST = '>';
const NAME = /^[!-)+-\-/-=?-~]+(?:\.[!-)+-\-/-=?-~]+)*$/;
const SEGMENT = /^(?:[!-)+-\-/-=?-~]+|\*)$/;

/** A pattern split into its segments; `*` is any one segment, a last `>` is one or more. */
export type Pattern = readonly string[];

/** Whether a string is one literal segment of a channel name. */
export function isSegment(text: string): boolean {
  return SEGMENT.test(text) && text !== ONE;
}

/** Whether a string is a channel name that clients may use: docs/PROTOCOL.md, section 5. Names starting with `$` are reserved, so not. */
export function isChannelName(text: string): boolean {
  return isBounded(text) && NAME.test(text) && !text.startsWith('$');
}

/** Whether a string has a wildcard segment, and so is a pattern rather than a name. */
export function hasWildcard(text: string): boolean {
  return text.includes(ONE) || text.includes(REST);
}

/** Splits a name or pattern into segments; undefined when it breaks the grammar or is reserved. */
export function parsePattern(text: string): Pattern | undefined {
  if (!isBounded(text) || text.startsWith('$')) return undefined;
  const segments = text.split('.');
  const last = segments.length - 1;
  const isValid = segments.every((segment, i) => SEGMENT.test(segment) || (segment === REST && i === last));
  return isValid ? segments : undefined;
}

/** Whether the pattern matches a name, given as its segments. */
export function matches(pattern: Pattern, name: Pattern): boolean {
  return covers(pattern, name);
}

/** Whether every name that `inner` matches is matched by `outer` too. */
export function covers(outer: Pattern, inner: Pattern): boolean {
  for (let i = 0; i < outer.length; i++) {
    const segment = outer[i];
    const other = inner[i];
    if (other === undefined) return false;
    if (segment === REST) return true;
    if (other === REST) return false;
    if (segment !== ONE && segment !== other) return false;
  }
  return inner.length === outer.length;
}

/** Whether some name is matched by both patterns. */
export function overlaps(a: Pattern, b: Pattern): boolean {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const left = a[i];
    const right = b[i];
    if (left === REST || right === REST) return true;
    if (left !== ONE && right !== ONE && left !== right) return false;
  }
  return a.length === b.length;
}

function isBounded(text: string): boolean {
  if (text.length > MAX_CHANNEL_BYTES) return false;
  let dots = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) === 0x2e) dots++;
  return dots < MAX_SEGMENTS;
}

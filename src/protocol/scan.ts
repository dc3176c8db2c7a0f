import type { Kind } from './frames.ts';

/** The msgpack families an element can belong to. */
type Family = 'uint' | 'str' | 'bin' | 'nil' | 'map' | 'other' | 'invalid';

const MAX_DEPTH = 8;

/**
 * The offset just behind the msgpack value at `pos`, or -1 when it is cut short by `end`, nested over 8 deep, or not msgpack.
 * Reads tags and lengths only: nothing is allocated, whatever a length field claims. Source: the msgpack specification.
 */
export function valueEnd(bytes: Uint8Array, pos: number, end: number, depth = 0): number {
  if (pos >= end || depth > MAX_DEPTH) return -1;
  const tag = bytes[pos] as number; // pos < end <= length
  if (tag <= 0x7f || tag >= 0xe0) return pos + 1;
  if (tag <= 0x8f) return elementsEnd(bytes, pos + 1, end, (tag & 0x0f) * 2, depth);
  if (tag <= 0x9f) return elementsEnd(bytes, pos + 1, end, tag & 0x0f, depth);
  if (tag <= 0xbf) return within(pos + 1 + (tag & 0x1f), end);
  if (tag === 0xc1) return -1;
  if (tag <= 0xc3) return pos + 1;
  if (tag >= 0xdc) {
    const wide = (tag & 1) === 1 ? 4 : 2;
    const count = uintAt(bytes, pos + 1, wide, end);
    if (count < 0) return -1;
    return elementsEnd(bytes, pos + 1 + wide, end, tag >= 0xde ? count * 2 : count, depth);
  }
  const fixed = FIXED_BYTES[tag];
  if (fixed !== undefined) return within(pos + 1 + fixed, end);
  const prefix = LENGTH_BYTES[tag] ?? 0;
  const length = uintAt(bytes, pos + 1, prefix, end);
  if (length < 0) return -1;
  const extType = tag >= 0xc7 && tag <= 0xc9 ? 1 : 0;
  return within(pos + 1 + prefix + extType + length, end);
}

/** Whether the value at `pos` may stand for `kind`; `pos` must lie inside the buffer. */
export function isKind(bytes: Uint8Array, pos: number, kind: Kind): boolean {
  const family = familyOf(bytes[pos] as number);
  if (family === kind) return true;
  return family === 'nil' && kind.endsWith('?') ? true : `${family}?` === kind;
}

/** Payload bytes behind the tag, for the tags that fix them: ints, floats, fixext. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  202: 4,
  203: 8,
  204: 1,
  205: 2,
  206: 4,
  207: 8,
  208: 1,
  209: 2,
  210: 4,
  211: 8,
  212: 2,
  213: 3,
  214: 5,
  215: 9,
  216: 17,
};

/** Width of the length field behind the tag, for bin, ext and str. */
const LENGTH_BYTES: Readonly<Record<number, number>> = {
  196: 1,
  197: 2,
  198: 4,
  199: 1,
  200: 2,
  201: 4,
  217: 1,
  218: 2,
  219: 4,
};

function familyOf(tag: number): Family {
  if (tag <= 0x7f || (tag >= 0xcc && tag <= 0xcf)) return 'uint';
  if ((tag >= 0xa0 && tag <= 0xbf) || (tag >= 0xd9 && tag <= 0xdb)) return 'str';
  if (tag >= 0xc4 && tag <= 0xc6) return 'bin';
  if (tag === 0xc0) return 'nil';
  if ((tag >= 0x80 && tag <= 0x8f) || tag === 0xde || tag === 0xdf) return 'map';
  return tag === 0xc1 ? 'invalid' : 'other';
}

function elementsEnd(bytes: Uint8Array, start: number, end: number, count: number, depth: number): number {
  let pos = start;
  for (let i = 0; i < count; i++) {
    pos = valueEnd(bytes, pos, end, depth + 1);
    if (pos < 0) return -1;
  }
  return pos;
}

function uintAt(bytes: Uint8Array, pos: number, width: number, end: number): number {
  if (pos + width > end) return -1;
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 256 + (bytes[pos + i] as number); // pos + width <= end <= length
  return value;
}

function within(pos: number, end: number): number {
  return pos <= end ? pos : -1;
}

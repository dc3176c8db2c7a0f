import type { Kind } from './frames.ts';
import { isKind, valueEnd } from './scan.ts';

/** Frame types with the kinds of the elements after the type. */
export type Shapes = Readonly<Record<number, readonly Kind[]>>;

/** A frame found in a message: its type, the shape that type has (undefined: not known), and the offset behind it. */
export interface Found {
  readonly type: number;
  readonly shape: readonly Kind[] | undefined;
  readonly end: number;
}

/** Finds the frame at `start` and checks its structure byte by byte, decoding nothing; a string says what is wrong with it. */
export function findFrame(bytes: Uint8Array, start: number, shapes: Shapes): Found | string {
  const end = valueEnd(bytes, start, bytes.length);
  if (end < 0) return 'not msgpack, or cut short';
  const head = bytes[start] as number; // valueEnd read it
  if (head < 0x91 || head > 0x9f) return 'a frame is an array of 1 to 15 elements';
  const type = bytes[start + 1] as number; // the array has elements
  if (type > 0x7f) return 'a frame starts with its type, a positive fixint';
  const shape = shapes[type];
  if (shape === undefined) return { type, shape, end };
  if ((head & 0x0f) !== shape.length + 1) return `frame type ${type} has ${shape.length + 1} elements`;
  let pos = start + 2;
  for (const [i, kind] of shape.entries()) {
    if (!isKind(bytes, pos, kind)) {
      return `element ${i + 1} of frame type ${type} must be ${kind.replace('?', ' or nil')}`;
    }
    pos = valueEnd(bytes, pos, end);
  }
  return { type, shape, end };
}

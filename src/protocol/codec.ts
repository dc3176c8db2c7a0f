import { Packr } from 'msgpackr';
import { CLIENT_SHAPES, type ClientFrame, type Kind, RELAY_SHAPES, type RelayFrame } from './frames.ts';
import { isKind, valueEnd } from './scan.ts';

const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

/** Encodes one frame. The returned bytes are the caller's own. */
export function encodeFrame(frame: ClientFrame | RelayFrame): Uint8Array {
  if (!frame.some(isWide)) return new Uint8Array(packr.pack(frame));
  const parts = frame.map((value) => (isWide(value) ? uint64(value) : packr.pack(value)));
  return new Uint8Array([0x90 | frame.length, ...parts.flatMap((part) => [...part])]);
}

/** One frame read from a message: its values and the offset behind it, or what is wrong with it. */
export type Read<F> = { readonly frame: F | undefined; readonly end: number } | string;

/** Reads a client's frame (MESSAGE apart) at `start`; a string says why it cannot be read. Never throws. */
export function readClientFrame(bytes: Uint8Array, start: number): Read<ClientFrame> {
  const read = readShaped(bytes, start, CLIENT_SHAPES);
  if (typeof read === 'string') return read;
  if (read.values === undefined) return 'unknown frame type';
  return { frame: read.values as unknown as ClientFrame, end: read.end }; // its shape was checked byte by byte
}

/** Reads a relay's frame at `start`; `frame` is undefined for a type this version does not know, which a client skips. Never throws. */
export function readRelayFrame(bytes: Uint8Array, start: number): Read<RelayFrame> {
  const read = readShaped(bytes, start, RELAY_SHAPES);
  if (typeof read === 'string') return read;
  return { frame: read.values as unknown as RelayFrame | undefined, end: read.end }; // as above
}

type Shapes = Readonly<Record<number, readonly Kind[]>>;
type Shaped = { readonly values: readonly unknown[] | undefined; readonly end: number };

function readShaped(bytes: Uint8Array, start: number, shapes: Shapes): Shaped | string {
  const end = valueEnd(bytes, start, bytes.length);
  if (end < 0) return 'not msgpack, or cut short';
  const head = bytes[start] as number; // valueEnd read it
  if (head < 0x91 || head > 0x9f) return 'a frame is an array of 1 to 15 elements';
  const type = bytes[start + 1] as number; // the array has elements
  if (type > 0x7f) return 'a frame starts with its type, a positive fixint';
  const shape = shapes[type];
  if (shape === undefined) return { values: undefined, end };
  if ((head & 0x0f) !== shape.length + 1) return `frame type ${type} has ${shape.length + 1} elements`;
  let pos = start + 2;
  for (const [i, kind] of shape.entries()) {
    if (!isKind(bytes, pos, kind))
      return `element ${i + 1} of frame type ${type} must be ${kind.replace('?', ' or nil')}`;
    pos = valueEnd(bytes, pos, end);
  }
  return decode(bytes.subarray(start, end), end);
}

function decode(bytes: Uint8Array, end: number): Shaped | string {
  try {
    const values = packr.unpack(bytes) as readonly unknown[]; // an array, by its first byte
    if (values.some((value) => typeof value === 'number' && value > Number.MAX_SAFE_INTEGER))
      return 'integer over 2^53-1';
    return { values, end };
  } catch {
    return 'not msgpack';
  }
}

/** msgpackr writes integers over 32 bits as floats, and bigints as signed; ours are uint 64. */
function isWide(value: unknown): value is number {
  return typeof value === 'number' && value > 0xffff_ffff;
}

function uint64(value: number): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(9));
  bytes.setUint8(0, 0xcf);
  bytes.setBigUint64(1, BigInt(value));
  return new Uint8Array(bytes.buffer);
}

import { Packr } from 'msgpackr/pack'; // without the native addon, which is no faster for frames this short
import { CLIENT_SHAPES, type ClientFrame, RELAY_SHAPES, type RelayFrame } from './frames.ts';
import { findFrame, type Shapes } from './shape.ts';

const NIL = Uint8Array.of(0xc0);
const packr = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

/** Encodes one frame. The returned bytes are the caller's own. */
export function encodeFrame(frame: ClientFrame | RelayFrame): Uint8Array {
  return frame.some(hasWide) ? Uint8Array.from(encodeWide(frame)) : encode(frame);
}

/** Leaves nothing of the value in msgpackr's own buffer. */
function encode(value: unknown): Uint8Array {
  const packed = packr.pack(value);
  const bytes = new Uint8Array(packed);
  packed.fill(0);
  return bytes;
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

type Shaped = { readonly values: readonly unknown[] | undefined; readonly end: number };

function readShaped(bytes: Uint8Array, start: number, shapes: Shapes): Shaped | string {
  const found = findFrame(bytes, start, shapes);
  if (typeof found === 'string') return found;
  if (found.shape === undefined) return { values: undefined, end: found.end };
  return decode(bytes.subarray(start, found.end), found.end);
}

function decode(bytes: Uint8Array, end: number): Shaped | string {
  try {
    const values = packr.unpack(bytes) as readonly unknown[]; // an array, by its first byte
    packr.unpack(NIL); // msgpackr holds on to what it read last: the bytes' memory, and text
    if (values.some((value) => typeof value === 'number' && value > Number.MAX_SAFE_INTEGER))
      return 'integer over 2^53-1';
    return { values, end };
  } catch {
    return 'not msgpack';
  }
}

/** Whether an integer over 32 bits is in a value: msgpackr would write it as a float, or, from a bigint, as signed. */
function hasWide(value: unknown): boolean {
  if (typeof value === 'number') return value > 0xffff_ffff;
  return isMap(value) && Object.values(value).some(hasWide);
}

/** Encodes what msgpackr cannot: arrays and maps of up to 15 elements that hold uint 64. */
function encodeWide(value: unknown): number[] {
  if (Array.isArray(value)) return [0x90 | value.length, ...value.flatMap(encodeWide)];
  if (isMap(value)) return [0x80 | Object.keys(value).length, ...Object.entries(value).flat().flatMap(encodeWide)];
  if (typeof value !== 'number' || value <= 0xffff_ffff) return [...encode(value)];
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt(value));
  return [0xcf, ...new Uint8Array(bytes.buffer)];
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

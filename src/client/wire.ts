import {
  type ClientFrame,
  FrameType,
  type Kind,
  RELAY_SHAPES,
  type RelayFrame,
  type WelcomeInfo,
} from '../protocol/frames.ts';
import { valueEnd } from '../protocol/scan.ts';
import { findFrame } from '../protocol/shape.ts';
import { concat, textOf, utf8 } from './bytes.ts';

/**
 * The few kinds of msgpack the protocol uses, written and read in place of a library several times the size of the rest of the SDK.
 * Structure is checked by protocol/shape before anything here reads.
 */

/** Encodes a request; MESSAGE has protocol/message. */
export function encodeRequest(frame: ClientFrame): Uint8Array<ArrayBuffer> {
  const parts = frame.map((value) => {
    if (typeof value === 'number') return encodeUint(value);
    return value === null ? Uint8Array.of(0xc0) : encodeStr(value);
  });
  return concat(Uint8Array.of(0x90 | frame.length), ...parts);
}

/** Every frame of a message, in order; those of unknown types are left out. Throws a TypeError at bytes that are no frame. */
export function* readFrames(bytes: Uint8Array): Generator<RelayFrame> {
  for (let pos = 0; pos < bytes.length; ) {
    const found = findFrame(bytes, pos, RELAY_SHAPES);
    if (typeof found === 'string') throw new TypeError(found);
    if (found.shape !== undefined) yield readFrame(bytes, pos, found.type, found.shape);
    pos = found.end;
  }
}

function readFrame(bytes: Uint8Array, start: number, type: number, shape: readonly Kind[]): RelayFrame {
  const values: unknown[] = [type];
  let pos = start + 2;
  for (const _kind of shape) {
    values.push(readValue(bytes, pos));
    pos = valueEnd(bytes, pos, bytes.length);
  }
  if (type === FrameType.WELCOME) values[2] = welcomeInfo(values[2]);
  return values as unknown as RelayFrame; // findFrame checked its shape
}

function readValue(bytes: Uint8Array, pos: number): unknown {
  const tag = bytes[pos] as number; // findFrame checked the bounds, here and below
  const end = valueEnd(bytes, pos, bytes.length);
  if (tag <= 0x7f) return tag;
  if (tag <= 0x8f) return readMap(bytes, pos + 1, tag & 0x0f);
  if (tag <= 0x9f) return undefined; // an array: only in an info this version does not know
  if (tag <= 0xbf) return text(bytes, pos + 1, end);
  if (tag >= 0xc4 && tag <= 0xc6) return bytes.slice(pos + 1 + (1 << (tag - 0xc4)), end);
  if (tag >= 0xcc && tag <= 0xcf) return readUint(bytes, pos + 1, end);
  if (tag >= 0xd9 && tag <= 0xdb) return text(bytes, pos + 1 + (1 << (tag - 0xd9)), end);
  if (tag === 0xde || tag === 0xdf)
    return readMap(bytes, pos + (tag === 0xde ? 3 : 5), readUint(bytes, pos + 1, pos + (tag === 0xde ? 3 : 5)));
  return tag === 0xc0 ? null : undefined;
}

function readMap(bytes: Uint8Array, start: number, count: number): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>();
  let pos = start;
  for (let i = 0; i < count; i++) {
    const valueStart = valueEnd(bytes, pos, bytes.length);
    map.set(readValue(bytes, pos), readValue(bytes, valueStart));
    pos = valueEnd(bytes, valueStart, bytes.length);
  }
  return map;
}

function welcomeInfo(value: unknown): WelcomeInfo {
  const info = value instanceof Map ? value : new Map<unknown, unknown>();
  const limits: unknown = info.get('limits');
  const numbers = limits instanceof Map ? [...limits].filter(([, limit]) => typeof limit === 'number') : [];
  return { boot: String(info.get('boot')), expiry: Number(info.get('expiry')), limits: Object.fromEntries(numbers) };
}

function readUint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let i = start; i < end; i++) value = value * 256 + (bytes[i] as number);
  if (value > Number.MAX_SAFE_INTEGER) throw new TypeError('an integer over 2^53-1');
  return value;
}

function text(bytes: Uint8Array, start: number, end: number): string {
  return textOf(bytes.subarray(start, end));
}

function encodeUint(value: number): Uint8Array {
  if (value <= 0x7f) return Uint8Array.of(value);
  const bytes = new DataView(new ArrayBuffer(9));
  bytes.setUint8(0, 0xcf);
  bytes.setBigUint64(1, BigInt(value));
  return new Uint8Array(bytes.buffer);
}

function encodeStr(value: string): Uint8Array {
  const bytes = utf8(value);
  const header = new DataView(new ArrayBuffer(5));
  header.setUint8(0, 0xdb);
  header.setUint32(1, bytes.length);
  return concat(new Uint8Array(header.buffer), bytes);
}

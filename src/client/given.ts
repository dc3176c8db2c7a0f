import { utf8 } from './bytes.ts';

/** What a program gave, for the message of an error: its type, never its value. */
export function typeOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** The bytes of a Uint8Array, also of one of Node (Buffer) or of another realm (an iframe, jsdom); undefined for anything else. */
export function bytesOf(value: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(value) || typeOf(value) !== 'Uint8Array') return undefined;
  const { buffer, byteOffset, byteLength } = value;
  return byteLength === 0 ? new Uint8Array() : new Uint8Array(buffer, byteOffset, byteLength); // it may be detached
}

/** Bytes, or a text as UTF-8. Throws a TypeError that names the type of anything else. */
export function dataOf(value: unknown): Uint8Array {
  const data = typeof value === 'string' ? utf8(value) : bytesOf(value);
  if (data === undefined) throw new TypeError(`expected a Uint8Array or a string, got ${typeOf(value)}`);
  return data;
}

/** Options, none where they were left out. Throws a TypeError for what holds none, such as a number in their place. */
export function optionsOf<T extends object>(value: T | undefined): Partial<T> {
  if (value === undefined) return {};
  if (typeOf(value) !== 'Object') throw new TypeError(`expected options, got ${typeOf(value)}`);
  return value;
}

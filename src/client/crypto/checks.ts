import { bytesOf, typeOf } from '../given.ts';
import { type EncryptionCode, EncryptionError } from './errors.ts';

/** Bytes of a channel key, and of a blind key. */
export const KEY_BYTES = 32;

/** The error for something of a wrong type: what was expected, and the type of what was given, never its value. */
export function wrongType(code: EncryptionCode, expected: string, given: unknown): EncryptionError {
  return new EncryptionError(code, `expected ${expected}, got ${typeOf(given)}`);
}

/** Bytes that a program gave. Throws for anything but a Uint8Array, of whatever realm. */
export function checkBytes(code: EncryptionCode, what: string, given: unknown): Uint8Array {
  const bytes = bytesOf(given);
  if (bytes === undefined) throw wrongType(code, `${what} as a Uint8Array`, given);
  return bytes;
}

/** A copy of the 32 bytes of a key. Throws `bad_key` for anything else. */
export function checkKeyBytes(given: unknown): Uint8Array<ArrayBuffer> {
  const bytes = checkBytes('bad_key', 'a key', given);
  if (bytes.length === KEY_BYTES) return bytes.slice();
  throw new EncryptionError('bad_key', `expected a key of ${KEY_BYTES} bytes, got ${bytes.length}`);
}

/** An envelope as a program gave it. Throws `bad_data` for anything but null or bytes. */
export function checkEnvelope(given: unknown): Uint8Array | null {
  return given === null ? null : checkBytes('bad_data', 'an envelope', given);
}

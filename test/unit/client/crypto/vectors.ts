import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A header of RFC 9605, appendix C.1. */
export interface HeaderVector {
  readonly kid: bigint;
  readonly ctr: bigint;
  readonly encoded: string;
}

/** A frame of RFC 9605, appendix C.3; bytes in hexadecimal. */
export interface FrameVector {
  readonly cipher_suite: bigint;
  readonly kid: bigint;
  readonly ctr: bigint;
  readonly base_key: string;
  readonly sframe_key: string;
  readonly sframe_salt: string;
  readonly metadata: string;
  readonly nonce: string;
  readonly pt: string;
  readonly ct: string;
}

/** test/vectors/sframe-rfc9605.json, with whole numbers as bigint: some are beyond 2^53. */
export function readSframeVectors(): {
  readonly header: readonly HeaderVector[];
  readonly sframe: readonly FrameVector[];
} {
  const file = fileURLToPath(new URL('../../../vectors/sframe-rfc9605.json', import.meta.url));
  const text = readFileSync(file, 'utf8').replace(/: (\d+)/g, ': "#$1"');
  return JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith('#') ? BigInt(value.slice(1)) : value,
  );
}

/** Bytes of a hexadecimal text. */
export function fromHex(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

/** Bytes as hexadecimal text. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

import { EncryptionError } from './errors.ts';

type Subtle = typeof globalThis.crypto.subtle;

/** A key that WebCrypto holds; its bytes cannot be read back. */
export type HeldKey = Awaited<ReturnType<Subtle['importKey']>>;

/** WebCrypto's operations. Throws `no_web_crypto` where there are none: browsers give them to secure contexts (https) only. */
export function subtle(): Subtle {
  const found: Subtle | undefined = globalThis.crypto?.subtle;
  if (found === undefined) throw new EncryptionError('no_web_crypto', 'expected WebCrypto: a page needs https');
  return found;
}

/** `count` random bytes. */
export function randomBytes(count: number): Uint8Array {
  return globalThis.crypto.getRandomValues(new Uint8Array(count));
}

/** Bytes for WebCrypto, which takes none that threads share: ours never are. */
export function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

/** HKDF-SHA-512 with an empty salt (RFC 5869); `material` was imported as `HKDF`. */
export async function hkdf(material: HeldKey, info: Uint8Array, length: number): Promise<Uint8Array> {
  return new Uint8Array(await subtle().deriveBits(hkdfWith(info), material, length * 8));
}

/** The parameters of HKDF-SHA-512 with an empty salt. */
export function hkdfWith(info: Uint8Array): {
  name: string;
  hash: string;
  salt: Uint8Array<ArrayBuffer>;
  info: Uint8Array<ArrayBuffer>;
} {
  return { name: 'HKDF', hash: 'SHA-512', salt: new Uint8Array(), info: unshared(info) };
}

/** Imports bytes to derive from with `HKDF` or `PBKDF2`. */
export function importMaterial(name: 'HKDF' | 'PBKDF2', bytes: Uint8Array): Promise<HeldKey> {
  return subtle().importKey('raw', unshared(bytes), name, false, ['deriveBits', 'deriveKey']);
}

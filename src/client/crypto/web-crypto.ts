import { EncryptionError } from './errors.ts';

type Subtle = typeof globalThis.crypto.subtle;

/** A key that WebCrypto holds; its bytes cannot be read back. */
export type HeldKey = Awaited<ReturnType<Subtle['importKey']>>;

/** The parts of WebCrypto that encryption needs. */
export type CryptoProvider = Pick<typeof globalThis.crypto, 'subtle' | 'getRandomValues'>;

let given: CryptoProvider | undefined;

/**
 * Gives WebCrypto to a runtime that has none of its own, such as React Native: before any key is made. What it does wrong, encryption does
 * wrong. Throws a TypeError for what is none.
 */
export function setCrypto(provider: CryptoProvider): void {
  const { subtle, getRandomValues } = Object(provider) as Partial<CryptoProvider>;
  if (typeof subtle !== 'object' || typeof getRandomValues !== 'function')
    throw new TypeError('setCrypto: expected WebCrypto: subtle and getRandomValues');
  given = provider;
}

/** WebCrypto's operations. Throws `no_web_crypto` where there are none: browsers give them to secure contexts (https) only. */
export function subtle(): Subtle {
  return provided().subtle;
}

/** `count` random bytes. */
export function randomBytes(count: number): Uint8Array {
  return provided().getRandomValues(new Uint8Array(count));
}

function provided(): CryptoProvider {
  const found: Partial<CryptoProvider> | undefined = given ?? globalThis.crypto;
  if (found?.subtle === undefined)
    throw new EncryptionError('no_web_crypto', 'expected WebCrypto: a page needs https, other runtimes setCrypto');
  return found as CryptoProvider; // whoever has subtle has random numbers
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

import type { JWK } from 'jose';
import { decodeBase64Url } from './base64url.ts';
import { ed25519Weakness, numberOf, p256Weakness } from './curves.ts';
import type { Algorithm } from './keys.ts';

const MIN_RSA_BITS = 2048;
/** What OpenSSL takes at most. */
const MAX_RSA_BITS = 16_384;
const MIN_RSA_EXPONENT = 65_537n;
const MAX_RSA_EXPONENT = 2n ** 32n;
/** A modulus of two large primes has no factor below this. */
const SMALL_FACTORS = 1000n;
const MIN_SECRET_BYTES = 32;
/** 32 random bytes have 30 different values, 32 random hexadecimal digits 14; fewer than this in one of a million. */
const MIN_DIFFERENT_BYTES = 9;

const NOT_BASE64URL = 'must have its numbers in base64url without padding, each in its one spelling';

/** Why a key of a known kind must not be trusted, as a string starting with "must"; undefined when nothing speaks against it. */
export function weaknessOf(jwk: JWK, algorithm: Algorithm): string | undefined {
  const [x, y, n, e, k] = [jwk.x, jwk.y, jwk.n, jwk.e, jwk.k].map(decodeBase64Url);
  if (algorithm === 'EdDSA') return x === undefined ? NOT_BASE64URL : ed25519Weakness(x);
  if (algorithm === 'ES256') return x === undefined || y === undefined ? NOT_BASE64URL : p256Weakness(x, y);
  if (algorithm === 'RS256') return n === undefined || e === undefined ? NOT_BASE64URL : rsaWeakness(n, e);
  return k === undefined ? `must hold a secret of at least ${MIN_SECRET_BYTES} bytes, in base64url` : secretWeakness(k);
}

function rsaWeakness(nBytes: Uint8Array, eBytes: Uint8Array): string | undefined {
  const [n, e] = [numberOf(nBytes), numberOf(eBytes)];
  const bits = n.toString(2).length;
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS)
    return `must have a modulus of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`;
  if (nBytes[0] === 0 || eBytes[0] === 0)
    return 'must have its numbers without zeros ahead of them (RFC 7518, section 2)';
  if (hasSmallFactor(n)) return 'must have a modulus of two large primes: this one has a small factor';
  if (e < MIN_RSA_EXPONENT || e >= MAX_RSA_EXPONENT || e % 2n === 0n)
    return 'must have an exponent that is odd, at least 65537 and below 2^32: 65537 is what all use, and smaller ones have been broken';
  return undefined;
}

function hasSmallFactor(n: bigint): boolean {
  for (let factor = 2n; factor < SMALL_FACTORS; factor++) if (n % factor === 0n) return true;
  return false;
}

function secretWeakness(secret: Uint8Array): string | undefined {
  if (secret.length < MIN_SECRET_BYTES) return `must hold a secret of at least ${MIN_SECRET_BYTES} bytes`;
  const isGuessable = new Set(secret).size < MIN_DIFFERENT_BYTES || isRepetition(secret) || isProgression(secret);
  return isGuessable
    ? 'must hold a random secret, such as mayfly keygen --alg HS256 makes: this one can be guessed'
    : undefined;
}

/** Whether the bytes are a shorter text, over and over. */
function isRepetition(bytes: Uint8Array): boolean {
  for (let period = 1; period <= bytes.length / 2; period++)
    if (bytes.every((byte, i) => i < period || byte === bytes[i - period])) return true;
  return false;
}

/** Whether the bytes go on by the same step, such as 0, 1, 2, but for a few. */
function isProgression(bytes: Uint8Array): boolean {
  const steps = new Map<number, number>();
  bytes.forEach((byte, i) => {
    const step = (byte - (bytes[i - 1] ?? 0)) & 0xff;
    steps.set(step, (steps.get(step) ?? 0) + 1);
  });
  return Math.max(...steps.values()) > bytes.length / 2;
}

import { type CryptoKey, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import type { KeyCeiling } from '../core/grants.ts';
import { weaknessOf } from './weak-keys.ts';

/** The algorithms a key may stand for. The key alone decides, never the token. */
export type Algorithm = 'EdDSA' | 'ES256' | 'RS256' | 'HS256';

/** A tenant's key as the relay holds it: what it verifies with, and the most a token signed by it may do. */
export interface TenantKey extends KeyCeiling {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly key: CryptoKey | Uint8Array;
}

/** Members that only a private key has (RFC 7518, section 6). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;

/**
 * The algorithm of a verification key given as JWK (RFC 7517), or, as a string starting with "must", why it is no such key.
 * Accepts Ed25519, P-256 and RSA (2,048 bits and more) public keys, and shared secrets of 32 bytes and more, unless they are known to be weak.
 */
export function algorithmOf(jwk: JWK): { algorithm: Algorithm } | string {
  const algorithm = byKind(jwk);
  if (algorithm === undefined) return 'must be an Ed25519, P-256, RSA or oct JWK';
  if (algorithm !== 'HS256' && PRIVATE_MEMBERS.some((member) => jwk[member] !== undefined))
    return 'must be a public key: this one holds the private part, and the relay must not be able to mint';
  if (jwk.alg !== undefined && jwk.alg !== algorithm && !(algorithm === 'EdDSA' && jwk.alg === 'Ed25519')) {
    return `must have alg ${algorithm} or none`;
  }
  if (jwk.use !== undefined && jwk.use !== 'sig') return 'must have use "sig" or none';
  const operations: unknown = jwk.key_ops;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify')))
    return 'must have "verify" among its key_ops, or none';
  return weaknessOf(jwk, algorithm) ?? { algorithm };
}

/** Imports a key that `algorithmOf` accepts. Throws what jose throws when the numbers are no key. */
export async function importKey(
  jwk: JWK,
  algorithm: Algorithm,
): Promise<{ key: CryptoKey | Uint8Array; thumbprint: string }> {
  const { alg: _alg, use: _use, key_ops: _ops, ext: _ext, ...material } = jwk;
  return {
    key: await importJWK(material as JWK, algorithm),
    thumbprint: await calculateJwkThumbprint(material as JWK),
  };
}

function byKind(jwk: JWK): Algorithm | undefined {
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519' && jwk.x !== undefined) return 'EdDSA';
  if (jwk.kty === 'EC' && jwk.crv === 'P-256' && jwk.x !== undefined && jwk.y !== undefined) return 'ES256';
  if (jwk.kty === 'RSA' && jwk.n !== undefined && jwk.e !== undefined) return 'RS256';
  return jwk.kty === 'oct' && jwk.k !== undefined ? 'HS256' : undefined;
}

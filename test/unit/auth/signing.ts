import { createHmac, type KeyObject, sign as signWith } from 'node:crypto';
import { type KeyConfig, loadKeyRing } from '../../../src/auth/tenants.ts';
import { verifyToken } from '../../../src/auth/tokens.ts';

export const NOW = 1_790_000_000;
export const MAX_TTL = 86_400;
export const TIMES = { maxTtlMs: MAX_TTL * 1000, toleranceMs: 5000 };

type Json = Readonly<Record<string, unknown>>;

/** A JWS in compact form (RFC 7515), made by node:crypto; `key` is a private key, or the bytes of a shared secret. */
export function compact(header: Json, payload: Json, key: KeyObject | Uint8Array): string {
  const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${input}.${signatureOf(input, String(header.alg), key).toString('base64url')}`;
}

function signatureOf(input: string, alg: string, key: KeyObject | Uint8Array): Buffer {
  if (key instanceof Uint8Array) return createHmac('sha256', key).update(input).digest();
  if (alg === 'ES256') return signWith('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
  return signWith(alg === 'RS256' ? 'sha256' : null, Buffer.from(input), key);
}

/** What verification says of a token at NOW (or `nowSeconds`), when `acme` has these keys. */
export async function verified(token: string | null, keys: readonly KeyConfig[], nowSeconds = NOW) {
  const ring = await loadKeyRing({ acme: { keys } });
  return verifyToken(token, { keys: ring, times: TIMES, nowMs: nowSeconds * 1000 });
}

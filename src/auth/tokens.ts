import { type CryptoKey, decodeJwt, decodeProtectedHeader, errors, jwtVerify, SignJWT } from 'jose';
import type { VerifiedToken } from '../core/grants.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { MAX_TOKEN_BYTES } from '../protocol/frames.ts';
import { readClaims } from './claims.ts';
import type { Algorithm, TenantKey } from './keys.ts';
import type { KeyRing } from './tenants.ts';

/** What a verification needs beside the token. */
export interface Verification {
  readonly keys: KeyRing;
  readonly maxTokenTtlSeconds: number;
  readonly nowMs: number;
}

/** Clocks of the tenant's servers and of this one may differ by this much. */
const CLOCK_TOLERANCE_SECONDS = 5;

/** One answer for every token whose signature is not known to be good: whether a tenant or key exists is not for strangers. */
const INVALID = refusal('token_invalid', 'not a token signed by a known key of its tenant');
const MISSING = refusal('token_missing', 'a token is needed');

/**
 * Verifies a compact JWT (RFC 7519): signature by the named tenant's key and that key's own algorithm, times, then our claims.
 * Never throws; nothing of the token is in a refusal.
 */
export async function verifyToken(token: string | null, by: Verification): Promise<VerifiedToken | Refusal> {
  if (token === null || token === '') return MISSING;
  if (token.length > MAX_TOKEN_BYTES) return INVALID;
  const found = findKey(token, by.keys);
  if (found === undefined) return INVALID;
  const { tenant, key } = found;
  const nowSeconds = by.nowMs / 1000;
  try {
    const { payload } = await jwtVerify(token, key.key, {
      algorithms: [key.algorithm],
      issuer: tenant,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      currentDate: new Date(by.nowMs),
    });
    const claims = readClaims(payload);
    if ('status' in claims) return claims;
    if (claims.exp <= nowSeconds) return refusal('token_expired', 'exp has passed');
    const issued = claims.iat ?? nowSeconds;
    if (issued > nowSeconds + CLOCK_TOLERANCE_SECONDS) return refusal('token_not_yet_valid', 'iat lies in the future');
    if (claims.exp - issued > by.maxTokenTtlSeconds) {
      return refusal('token_ttl_too_long', `exp must be at most ${by.maxTokenTtlSeconds} seconds after iat`);
    }
    return {
      tenant,
      sub: claims.sub,
      dev: claims.dev,
      jti: claims.jti,
      kid: key.kid,
      keyThumbprint: key.thumbprint,
      issuedAtMs: (claims.iat ?? 0) * 1000,
      expiresAtMs: claims.exp * 1000,
      can: claims.can,
      not: claims.not,
      ops: claims.ops,
    };
  } catch (error) {
    return refusalFor(error);
  }
}

/** Signs a token. `claims` are taken as they are: what a relay refuses can be minted, for instance in tests. */
export async function mintToken(
  claims: Readonly<Record<string, unknown>>,
  signer: { readonly key: CryptoKey | Uint8Array; readonly algorithm: Algorithm; readonly kid: string },
): Promise<string> {
  return new SignJWT({ ...claims })
    .setProtectedHeader({ alg: signer.algorithm, kid: signer.kid, typ: 'JWT' })
    .sign(signer.key);
}

function findKey(token: string, keys: KeyRing): { tenant: string; key: TenantKey } | undefined {
  try {
    const { kid, crit, b64 } = decodeProtectedHeader(token) as { kid?: unknown; crit?: unknown; b64?: unknown };
    const { iss } = decodeJwt(token);
    if (typeof kid !== 'string' || typeof iss !== 'string' || crit !== undefined || b64 !== undefined) return undefined;
    const key = keys.get(iss)?.get(kid);
    return key === undefined ? undefined : { tenant: iss, key };
  } catch {
    return undefined;
  }
}

/** By now the key is known; a JWTExpired or JWTClaimValidationFailed means that the signature was good. */
function refusalFor(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) return refusal('token_expired', 'exp has passed');
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed')
      return refusal('token_not_yet_valid', 'nbf lies in the future');
    return refusal('token_claims_invalid', `${error.claim} is missing or malformed`);
  }
  return INVALID;
}

import { type CryptoKey, compactVerify, SignJWT } from 'jose';
import type { VerifiedToken } from '../core/grants.ts';
import { type TokenTimes, untimely } from '../core/token-times.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { MAX_TOKEN_BYTES } from '../protocol/frames.ts';
import { readClaims } from './claims.ts';
import { type Compact, looseMembersOf, membersOf, readCompact } from './compact.ts';
import type { Algorithm, TenantKey } from './keys.ts';
import type { KeyRing } from './tenants.ts';

/** What a verification needs beside the token. */
export interface Verification {
  readonly keys: KeyRing;
  readonly times: TokenTimes;
  readonly nowMs: number;
}

/** The names an algorithm has in a header: RFC 8037 called Ed25519 EdDSA, RFC 9864 calls it Ed25519. */
const NAMES: Readonly<Record<Algorithm, string[]>> = {
  EdDSA: ['EdDSA', 'Ed25519'],
  ES256: ['ES256'],
  RS256: ['RS256'],
  HS256: ['HS256'],
};

/** One answer for every token whose signature is not known to be good: whether a tenant or key exists is not for strangers. */
const INVALID = refusal('token_invalid', 'not a token signed by a known key of its tenant');
const MISSING = refusal('token_missing', 'a token is needed');
const WRONG_TYPE = refusal('token_claims_invalid', 'typ must be JWT or left out');
const NO_CLAIMS = refusal('token_claims_invalid', 'the payload is not a JSON object, or a name stands twice in it');

/**
 * Verifies a compact JWT (RFC 7519): signature by the named tenant's key and that key's own algorithm, then our claims, then times.
 * Never throws; nothing of the token is in a refusal. What is done before the signature is known to be good is linear in the token's bytes.
 */
export async function verifyToken(token: string | null, by: Verification): Promise<VerifiedToken | Refusal> {
  if (token === null || token === '') return MISSING;
  if (token.length > MAX_TOKEN_BYTES) return INVALID;
  const compact = readCompact(token);
  const found = compact === undefined ? undefined : findKey(compact, by.keys);
  if (compact === undefined || found === undefined) return INVALID;
  const { tenant, key } = found;
  try {
    await compactVerify(token, key.key, { algorithms: NAMES[key.algorithm] });
  } catch {
    return INVALID;
  }
  const verified = readToken(compact, tenant, key);
  return 'status' in verified ? verified : (untimely(verified, by.nowMs, by.times) ?? verified);
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

/** What a token says whose signature is good, or why it is not for us. Other uses of JWTs have a `typ` of their own (RFC 8725, section 3.11). */
function readToken(compact: Compact, tenant: string, key: TenantKey): VerifiedToken | Refusal {
  const header = membersOf(compact.header);
  if (header === undefined) return INVALID;
  const { typ } = header;
  if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT')) return WRONG_TYPE;
  const members = membersOf(compact.payload);
  if (members === undefined) return NO_CLAIMS;
  const claims = readClaims(members);
  if ('status' in claims) return claims;
  return {
    tenant,
    sub: claims.sub,
    dev: claims.dev,
    jti: claims.jti,
    kid: key.kid,
    keyThumbprint: key.thumbprint,
    issuedAtMs: Math.floor(claims.iat * 1000),
    notBeforeMs: Math.floor((claims.nbf ?? claims.iat) * 1000),
    expiresAtMs: Math.floor(claims.exp * 1000),
    can: claims.can,
    not: claims.not,
    ops: claims.ops,
  };
}

/** The key that a token names. Extensions that must be understood are refused: there is none. Whether a name stands twice is looked at when the signature is good. */
function findKey({ header, payload }: Compact, keys: KeyRing): { tenant: string; key: TenantKey } | undefined {
  const { kid, crit, b64 } = looseMembersOf(header) ?? {};
  if (typeof kid !== 'string' || crit !== undefined || b64 !== undefined) return undefined;
  const { iss } = looseMembersOf(payload) ?? {};
  const key = typeof iss === 'string' ? keys.get(iss)?.get(kid) : undefined;
  return typeof iss !== 'string' || key === undefined ? undefined : { tenant: iss, key };
}

import { readFile } from 'node:fs/promises';
import type { JWK } from 'jose';
import { RelayError } from '../errors.ts';

/** Members of a JWK that an outsider may know (RFC 7517 and 7518); for `oct` there is no public part. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'] as const;

/** Reads a private JWK, bare or as `mayfly keygen` prints it. Throws a RelayError that does not quote the file. */
export async function readPrivateJwk(file: string): Promise<JWK> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'not JSON';
    throw new RelayError('key_unusable', `${file}: cannot be read (${code})`);
  }
  const jwk = isRecord(parsed) && isRecord(parsed.private) ? parsed.private : parsed;
  if (isRecord(jwk) && typeof jwk.kty === 'string' && (jwk.d !== undefined || jwk.k !== undefined)) return jwk as JWK;
  throw new RelayError('key_unusable', `${file}: is not a private JWK`);
}

/** The JWK for the relay's configuration; a shared secret is its own. */
export function publicPart(jwk: JWK): JWK {
  if (jwk.kty === 'oct') return jwk;
  return Object.fromEntries(PUBLIC_MEMBERS.filter((name) => name in jwk).map((name) => [name, jwk[name]])) as JWK;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

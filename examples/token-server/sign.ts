// Signs what a user may do, for both token servers. The key file is what `mayfly keygen` prints; the relay has its public part.
import { readFile } from 'node:fs/promises';
import { importJWK, type JWK, SignJWT } from 'jose';

const { SIGNING_KEY_FILE = 'local/app.jwk', SIGNING_KEY_ID = 'app-2026', TENANT = 'acme' } = process.env;

const pair = JSON.parse(await readFile(SIGNING_KEY_FILE, 'utf8')) as { readonly private: JWK };
const key = await importJWK(pair.private, 'EdDSA');

/** As little as the app needs: rooms to read and write, and the user's own inbox to read. */
const GRANTS = { 'room.>': 'rw', 'inbox.{sub}': 'r' };

/** A token for a user, good for 15 minutes; the SDK asks for the next one in time. */
export function signToken(user: string): Promise<string> {
  return new SignJWT({ can: GRANTS })
    .setProtectedHeader({ alg: 'EdDSA', kid: SIGNING_KEY_ID })
    .setIssuer(TENANT)
    .setSubject(user)
    .setIssuedAt()
    .setExpirationTime('15m')
    .sign(key);
}

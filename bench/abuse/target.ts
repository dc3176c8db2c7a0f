import { exportJWK, generateKeyPair, SignJWT } from 'jose';

/** What an attacker has: the relay's address, and every token that its own tenant would give it. */
export interface Target {
  readonly url: string;
  /** Everything but revoking. */
  readonly token: string;
  /** The same for several users, so that the limits of one user are not met before those of the tenant. */
  readonly tokens: readonly string[];
  /** Nothing but reading below `room`. */
  readonly readerToken: string;
  /** As many grants as a token has room for. */
  readonly grantsToken: string;
  readonly revokingToken: string;
}

const KID = 'key';
const GRANTS = 150;
const USERS = 5;

/** A configuration of two tenants with the default limits, and their tokens. */
export async function makeTenants() {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const key = { kid: KID, jwk: await exportJWK(publicKey), grants: { '>': 'rwp' }, ops: ['revoke'] };
  const mint = (iss: string, sub: string, claims: object) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: KID })
      .setIssuer(iss)
      .setSubject(sub)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(privateKey);
  const many = Object.fromEntries(Array.from({ length: GRANTS }, (_, i) => [`g${i}.*.x.*.y`, 'rwp']));
  const tokens = Array.from({ length: USERS }, (_, i) => mint('hostile', `mallory-${i}`, { can: { '>': 'rwp' } }));
  return {
    config: {
      listen: { host: '127.0.0.1', port: 0 },
      admin: { host: '127.0.0.1', port: 0 },
      tenants: { hostile: { keys: [key] }, calm: { keys: [key] } },
    },
    calmToken: await mint('calm', 'calm', { can: { '>': 'rwp' } }),
    target: {
      token: await mint('hostile', 'mallory', { can: { '>': 'rwp' } }),
      tokens: await Promise.all(tokens),
      readerToken: await mint('hostile', 'mallory', { can: { 'room.>': 'r' } }),
      grantsToken: await mint('hostile', 'mallory', { can: many }),
      revokingToken: await mint('hostile', 'mallory', { ops: ['revoke'] }),
    } satisfies Omit<Target, 'url'>,
  };
}

import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

const TENANT = 'bench';
const KID = 'bench-key';
const MIB = 1024 * 1024;
const MANY_PER_SECOND = 1_000_000_000;

/** A relay's configuration with one tenant, and a token for all of its channels. */
export interface Tenant {
  readonly config: unknown;
  readonly token: string;
}

/** Makes a key pair in RAM, a configuration on loopback whose limits are out of a load's way, and a token good for an hour. */
export async function makeTenant(): Promise<Tenant> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const token = await new SignJWT({ can: { '>': 'rwp' } })
    .setProtectedHeader({ alg: 'EdDSA', kid: KID })
    .setIssuer(TENANT)
    .setSubject('load')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(privateKey);
  return { config: configWith(await exportJWK(publicKey)), token };
}

function configWith(jwk: JWK): unknown {
  return {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    tenants: {
      [TENANT]: {
        keys: [{ kid: KID, jwk, grants: { '>': 'rwp' } }],
        limits: {
          connections: 20_000,
          connectionsPerUser: 20_000,
          framesPerSecond: MANY_PER_SECOND,
          deliveriesPerSecond: MANY_PER_SECOND,
        },
      },
    },
    limits: { maxBufferedBytes: 64 * MIB, framesPerSecond: MANY_PER_SECOND, bytesPerSecond: MANY_PER_SECOND },
  };
}

import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import { loadConfig } from '../../src/config/load.ts';
import type { Clock } from '../../src/core/ports.ts';
import { type Relay, startRelay } from '../../src/relay.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { TestClient } from '../support/client.ts';

type Key = CryptoKey | Uint8Array;

/** What to sign a token with, where it is not the key that the claims name. */
export interface Signing {
  readonly kid?: string;
  /** Members laid over the header; undefined removes one. */
  readonly header?: Readonly<Record<string, unknown>>;
  readonly key?: Key;
}

/** A relay whose tenants chose different algorithms, under names that no error may hold. */
export interface KeyedRelay {
  readonly url: string;
  readonly httpUrl: string;
  /** The verification keys as the relay has them: what a confused verifier would take for a secret. */
  readonly publicKeys: Readonly<Record<string, CryptoKey>>;
  readonly privateKeys: Readonly<Record<string, Key>>;
  /** Signs a token of `tenant-zebra`, good for an hour and everything, but for what `claims` says. undefined removes a claim. */
  sign(claims?: Readonly<Record<string, unknown>>, signing?: Signing): Promise<string>;
  connect(claims?: Readonly<Record<string, unknown>>): Promise<TestClient>;
  open(headers?: Readonly<Record<string, string>>): Promise<TestClient>;
  stop(): Promise<void>;
}

/** Words that no answer to a stranger may hold. */
export const SECRETS = ['zebra', 'heron', 'ibis', 'lynx', 'quokka', 'otter', 'marmot', 'mongoose', 'lair'];

const ALGORITHM: Readonly<Record<string, 'EdDSA' | 'ES256' | 'RS256' | 'HS256'>> = {
  'tenant-zebra': 'EdDSA',
  'tenant-heron': 'ES256',
  'tenant-ibis': 'RS256',
  'tenant-lynx': 'HS256',
};

export interface KeyedOptions {
  readonly limits?: Readonly<Record<string, number>>;
  readonly clock?: Clock;
}

/** Starts it. Each tenant has the keys `kid-quokka` (everything) and `kid-otter` (a narrow ceiling, no operation). */
export async function startKeyedRelay(options: KeyedOptions = {}): Promise<KeyedRelay> {
  const publicKeys: Record<string, CryptoKey> = {};
  const privateKeys: Record<string, Key> = {};
  const tenants: Record<string, unknown> = {};
  for (const [tenant, algorithm] of Object.entries(ALGORITHM)) {
    const keys = [];
    for (const [kid, grants, ops] of [
      ['kid-quokka', { '>': 'rwpa' }, ['revoke']],
      ['kid-otter', { 'room.>': 'r', 'desk.*': 'rw', 'desk.*.drawer': 'r' }, []],
    ] as const) {
      const name = `${tenant}/${kid}`;
      if (algorithm === 'HS256') {
        const secret = crypto.getRandomValues(new Uint8Array(48));
        privateKeys[name] = secret;
        keys.push({ kid, jwk: { kty: 'oct', k: Buffer.from(secret).toString('base64url') }, grants, ops });
        continue;
      }
      const pair = await generateKeyPair(algorithm, { extractable: true });
      publicKeys[name] = pair.publicKey;
      privateKeys[name] = pair.privateKey;
      keys.push({ kid, jwk: await exportJWK(pair.publicKey), grants, ops });
    }
    tenants[tenant] = { keys };
  }
  const input = {
    listen: { port: 0 },
    admin: { port: 0 },
    limits: { drainDelayMs: 0, drainTimeoutMs: 0, ...options.limits },
    tenants,
  };
  const relay: Relay = startRelay(await loadConfig(input), createLogger('silent'), { clock: options.clock });
  const clients = new Set<TestClient>();

  const sign: KeyedRelay['sign'] = async (claims = {}, signing = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const base = { iss: 'tenant-zebra', sub: 'mongoose', iat: now, exp: now + 3600, can: { '>': 'rwp' } };
    const merged: Record<string, unknown> = JSON.parse(JSON.stringify({ ...base, ...claims }));
    const tenant = String(merged.iss ?? 'tenant-zebra');
    const kid = signing.kid ?? 'kid-quokka';
    const header = { alg: ALGORITHM[tenant] ?? 'EdDSA', kid, ...signing.header };
    const key = signing.key ?? privateKeys[`${tenant}/${kid}`] ?? privateKeys['tenant-zebra/kid-quokka'];
    return new SignJWT(merged)
      .setProtectedHeader(JSON.parse(JSON.stringify(header)) as JWTHeaderParameters)
      .sign(key as Key);
  };
  const open: KeyedRelay['open'] = async (headers) => {
    const client = await TestClient.open(relay.url, headers === undefined ? {} : { headers: { ...headers } });
    clients.add(client);
    return client;
  };
  return {
    url: relay.url,
    httpUrl: relay.url.replace(/^ws/, 'http').replace('/v1/ws', ''),
    publicKeys,
    privateKeys,
    sign,
    open,
    async connect(claims) {
      const client = await open();
      await client.hello(await sign(claims));
      return client;
    },
    async stop() {
      for (const client of clients) client.terminate();
      await relay.stop();
    },
  };
}

/** A compact JWT of any header and payload, whatever sense they make; `sign` gives the third part. */
export async function forge(
  header: unknown,
  payload: unknown,
  sign: (signed: Buffer) => Promise<Uint8Array> | Uint8Array = () => new Uint8Array(),
): Promise<string> {
  const encode = (value: unknown): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${Buffer.from(await sign(Buffer.from(signed))).toString('base64url')}`;
}

import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { loadConfig } from '../../src/config/load.ts';
import type { Clock } from '../../src/core/ports.ts';
import { type Relay, startRelay } from '../../src/relay.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { TestClient } from './client.ts';

/** A relay in this process, on free loopback ports, with the tenants `acme` and `globex`; each has a key `app` (rwp) and a key `ops` (rwpa, revoke). */
export interface TestRelay {
  readonly relay: Relay;
  readonly url: string;
  readonly httpUrl: string;
  readonly adminUrl: string;
  /** The configuration it was started with, before defaults. */
  readonly input: Record<string, unknown>;
  /** Signs a token; good for `acme` user `alice`, with `rwp` everywhere for an hour, but for what `claims` says. undefined removes a claim. */
  mint(claims?: Readonly<Record<string, unknown>>, key?: 'app' | 'ops'): Promise<string>;
  privateKey(tenant: string, kid: string): CryptoKey;
  /** A connection that got its WELCOME. */
  connect(claims?: Readonly<Record<string, unknown>>): Promise<TestClient>;
  /** A connection that has not said HELLO. */
  open(): Promise<TestClient>;
  metrics(): Promise<string>;
}

export interface TestRelayOptions {
  readonly limits?: Readonly<Record<string, number>>;
  readonly tenantLimits?: Readonly<Record<string, number>>;
  readonly listen?: Readonly<Record<string, unknown>>;
  readonly cors?: Readonly<Record<string, unknown>>;
  readonly clock?: Clock;
}

const running = new Set<{ relay: Relay; clients: Set<TestClient> }>();

/** Starts a relay; `stopRelays` in afterEach or afterAll ends it. */
export async function startTestRelay(options: TestRelayOptions = {}): Promise<TestRelay> {
  const privateKeys = new Map<string, CryptoKey>();
  const tenants: Record<string, unknown> = {};
  for (const tenant of ['acme', 'globex']) {
    const keys = [];
    for (const [kid, letters, ops] of [
      ['app', 'rwp', []],
      ['ops', 'rwpa', ['revoke']],
    ] as const) {
      const pair = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
      privateKeys.set(`${tenant}/${kid}`, pair.privateKey);
      keys.push({ kid, jwk: await exportJWK(pair.publicKey), grants: { '>': letters }, ops });
    }
    tenants[tenant] = { keys, limits: options.tenantLimits ?? {} };
  }
  const input = {
    listen: { port: 0, ...options.listen },
    admin: { port: 0 },
    limits: { drainDelayMs: 0, drainTimeoutMs: 0, ...options.limits },
    cors: options.cors ?? {},
    tenants,
  };
  const relay = startRelay(await loadConfig(input), createLogger('silent'), { clock: options.clock });
  const clients = new Set<TestClient>();
  running.add({ relay, clients });

  const privateKey = (tenant: string, kid: string): CryptoKey => {
    const key = privateKeys.get(`${tenant}/${kid}`);
    if (key === undefined) throw new Error(`no key ${tenant}/${kid}`);
    return key;
  };
  const mint: TestRelay['mint'] = (claims = {}, kid = 'app') => {
    const now = Math.floor(Date.now() / 1000);
    const merged = { iss: 'acme', sub: 'alice', iat: now, exp: now + 3600, can: { '>': 'rwp' }, ...claims };
    return new SignJWT(JSON.parse(JSON.stringify(merged)))
      .setProtectedHeader({ alg: 'EdDSA', kid })
      .sign(privateKey(String(merged.iss), kid));
  };
  const open = async (): Promise<TestClient> => {
    const client = await TestClient.open(`${relay.url}/v1/ws`);
    clients.add(client);
    return client;
  };
  return {
    relay,
    url: `${relay.url}/v1/ws`,
    httpUrl: relay.url.replace(/^ws/, 'http'),
    adminUrl: relay.adminUrl,
    input,
    mint,
    privateKey,
    open,
    async connect(claims) {
      const client = await open();
      await client.hello(await mint(claims));
      return client;
    },
    metrics: async () => (await fetch(`${relay.adminUrl}/metrics`)).text(),
  };
}

/** Ends every relay and client started since the last call. */
export async function stopRelays(): Promise<void> {
  for (const { relay, clients } of running) {
    for (const client of clients) client.terminate();
    await relay.stop();
  }
  running.clear();
}

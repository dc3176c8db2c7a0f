import { exportJWK, generateKeyPair } from 'jose';
import { mintToken } from '../auth/tokens.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Relay } from '../relay.ts';

/** A relay's configuration with a tenant `demo` whose keys live in RAM only, and how to mint for it. */
export interface Development {
  readonly loaded: LoadedConfig;
  /** A token for a user; the grants are patterns to letters out of `rwpa`. */
  readonly mint: (sub: string, seconds: number, can: Readonly<Record<string, string>>) => Promise<string>;
}

const GUIDE_SECONDS = 12 * 3600;
/** All that the demo tenant's key permits. */
export const EVERYTHING = { '>': 'rwp' };

/** Makes the demo tenant's key and a configuration for loopback, under the environment's overrides. */
export async function developmentConfig(env: Readonly<Record<string, string | undefined>>): Promise<Development> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const kid = 'demo';
  const loaded = await loadConfig(
    {
      listen: { port: 8080 },
      limits: { drainDelayMs: 0, maxConnections: 500 },
      tenants: { demo: { keys: [{ kid, jwk: await exportJWK(publicKey), grants: EVERYTHING }] } },
    },
    env,
  );
  const mint: Development['mint'] = (sub, seconds, can) => {
    const iat = Math.floor(Date.now() / 1000);
    return mintToken({ iss: 'demo', sub, iat, exp: iat + seconds, can }, { key: privateKey, algorithm: 'EdDSA', kid });
  };
  return { loaded, mint };
}

/** What a person needs to see a first message: where the demo is, if there is one; tokens, and two commands to paste. */
export async function developmentGuide(relay: Relay, { loaded, mint }: Development, hasDemo: boolean): Promise<string> {
  const ca = loaded.tls === undefined ? '' : ` --ca ${loaded.tls.certFile}`;
  const command = async (words: string, user: string): Promise<string> =>
    `bin/mayfly ${words} --token ${await mint(user, GUIDE_SECONDS, EVERYTHING)}${ca}`;
  const demo = hasDemo ? `  demo   ${relay.url.replace(/^ws/, 'http')}/    open it in a browser\n` : '';
  return `Mayfly, development relay: tenant "demo", its keys in RAM only.

${demo}  relay  ${relay.url}
  admin  ${relay.adminUrl}/metrics

In a second terminal, listen:

  ${await command(`sub ${relay.url} room.42`, 'alice')}

In a third, say something:

  ${await command(`pub ${relay.url} room.42 hello`, 'bob')}

Ctrl-C stops the relay.
`;
}

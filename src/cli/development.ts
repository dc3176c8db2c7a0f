import { exportJWK, generateKeyPair } from 'jose';
import { mintToken } from '../auth/tokens.ts';
import { type LoadedConfig, loadConfig } from '../config/load.ts';
import type { Relay } from '../relay.ts';

/** A relay's configuration with a tenant `demo` whose keys live in RAM only, and how to mint for it. */
export interface Development {
  readonly loaded: LoadedConfig;
  readonly mint: (sub: string) => Promise<string>;
}

const TOKEN_SECONDS = 12 * 3600;

/** Makes the demo tenant's key and a configuration for loopback, under the environment's overrides. */
export async function developmentConfig(env: Readonly<Record<string, string | undefined>>): Promise<Development> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  const kid = 'demo';
  const loaded = await loadConfig(
    {
      listen: { port: 8080 },
      tenants: { demo: { keys: [{ kid, jwk: await exportJWK(publicKey), grants: { '>': 'rwp' } }] } },
    },
    env,
  );
  const mint = (sub: string): Promise<string> => {
    const iat = Math.floor(Date.now() / 1000);
    return mintToken(
      { iss: 'demo', sub, iat, exp: iat + TOKEN_SECONDS, can: { '>': 'rwp' } },
      { key: privateKey, algorithm: 'EdDSA', kid },
    );
  };
  return { loaded, mint };
}

/** What a person needs to see a first message: tokens and two commands to paste. */
export async function developmentGuide(relay: Relay, { mint }: Development): Promise<string> {
  const [alice, bob] = [await mint('alice'), await mint('bob')];
  return `Mayfly, development relay: tenant "demo", its keys in RAM only, plain ws on loopback.

  relay  ${relay.url}
  admin  ${relay.adminUrl}/metrics

In a second terminal, listen:

  bin/mayfly sub ${relay.url} room.42 --token ${alice}

In a third, say something:

  bin/mayfly pub ${relay.url} room.42 hello --token ${bob}

Ctrl-C stops the relay.
`;
}

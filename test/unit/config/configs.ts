import { generateKeyPairSync } from 'node:crypto';
import { loadConfig } from '../../../src/config/load.ts';
import { ConfigError, type Problem } from '../../../src/errors.ts';

export type Json = Record<string, unknown>;

/** A public Ed25519 key. */
export const publicJwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });

/** A key of a tenant that is good, but for `change`. */
export const keyWith = (change: Json = {}): Json => ({ kid: 'app', jwk: publicJwk, grants: { '>': 'rwp' }, ...change });

/** A configuration that is good, but for `change`. */
export const configWith = (change: Json = {}): Json => ({ tenants: { acme: { keys: [keyWith()] } }, ...change });

/** Every problem of a configuration; none when it loads. */
export async function problemsOf(input: unknown, env: Record<string, string> = {}): Promise<readonly Problem[]> {
  try {
    await loadConfig(input, env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

export async function pathsOf(input: unknown, env: Record<string, string> = {}): Promise<string[]> {
  return (await problemsOf(input, env)).map(({ path }) => path);
}

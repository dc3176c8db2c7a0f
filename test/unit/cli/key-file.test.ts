import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JWK } from 'jose';
import { afterAll, describe, expect, it } from 'vitest';
import { publicPart, readPrivateJwk } from '../../../src/cli/key-file.ts';
import { RelayError } from '../../../src/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'mayfly-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(content: unknown): string {
  const file = join(folder, 'key.jwk');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const pairs = [
  generateKeyPairSync('ed25519'),
  generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  generateKeyPairSync('rsa', { modulusLength: 2048 }),
];
const jwks = pairs.map(({ publicKey, privateKey }) => ({
  private: privateKey.export({ format: 'jwk' }) as JWK,
  public: publicKey.export({ format: 'jwk' }) as JWK,
}));

describe('a key file', () => {
  it.each(jwks)('holds a private JWK, bare or beside its public part', async (pair) => {
    expect(await readPrivateJwk(write(pair.private))).toEqual(pair.private);
    expect(await readPrivateJwk(write(pair))).toEqual(pair.private);
  });

  it('may hold a shared secret', async () => {
    const secret = { kty: 'oct', k: 'AAAA' };
    expect(await readPrivateJwk(write(secret))).toEqual(secret);
    expect(publicPart(secret)).toEqual(secret);
  });

  it.each<[string, unknown]>([
    ['a public key', jwks[0]?.public],
    ['no JSON', 'top secret'],
    ['a list', ['top secret']],
    ['nil', null],
    ['no kty', { d: 'top secret' }],
    ['a string', '"top secret"'],
  ])('with %s is refused, and not quoted', async (_, content) => {
    const error = await readPrivateJwk(write(content)).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RelayError);
    expect(error).toMatchObject({ code: 'key_unusable' });
    expect(String(error)).not.toContain('secret');
  });

  it('that is not there is refused with its name', async () => {
    await expect(readPrivateJwk(join(folder, 'none'))).rejects.toThrow(/none.*ENOENT/);
  });
});

describe('the public part of a key', () => {
  it.each(jwks)('is what the key pair says, and nothing private', (pair) => {
    expect(publicPart(pair.private)).toEqual(pair.public);
  });
});

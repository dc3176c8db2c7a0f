import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto';
import { compactVerify, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { algorithmOf, importKey } from '../../../src/auth/keys.ts';

const publicJwk = (pair: { publicKey: { export(options: { format: 'jwk' }): unknown } }): JWK =>
  pair.publicKey.export({ format: 'jwk' }) as JWK;
const secretOf = (bytes: number): string => randomBytes(bytes).toString('base64url');
const rsa = (bits: number) => generateKeyPairSync('rsa', { modulusLength: bits });
const ed25519 = generateKeyPairSync('ed25519');

/** RFC 7515, appendix A.1: the key and the JWS. */
const HS256 = {
  jwk: {
    kty: 'oct',
    k: 'AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow',
  },
  input:
    'eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
  signature: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
};
/** RFC 8037, appendices A.2 to A.4: the public key, its thumbprint and the JWS. */
const ED25519 = {
  jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
  thumbprint: 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
  jws: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
};
/** RFC 7638, section 3.1: the key and its thumbprint. */
const RSA = {
  jwk: {
    kty: 'RSA',
    n: '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw',
    e: 'AQAB',
    alg: 'RS256',
    kid: '2011-04-29',
  },
  thumbprint: 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs',
};

describe('a key', () => {
  it('of RFC 7515 A.1 is HS256 and holds the bytes that sign its example', async () => {
    expect(algorithmOf(HS256.jwk)).toEqual({ algorithm: 'HS256' });
    const { key } = await importKey(HS256.jwk, 'HS256');
    expect(key).toBeInstanceOf(Uint8Array);
    const mac = createHmac('sha256', key as Uint8Array)
      .update(HS256.input)
      .digest('base64url');
    expect(mac).toBe(HS256.signature);
  });

  it('of RFC 8037 A.2 is EdDSA, verifies the example of A.4 and has the thumbprint of A.3', async () => {
    expect(algorithmOf(ED25519.jwk)).toEqual({ algorithm: 'EdDSA' });
    const { key, thumbprint } = await importKey(ED25519.jwk, 'EdDSA');
    expect(thumbprint).toBe(ED25519.thumbprint);
    const { payload } = await compactVerify(ED25519.jws, key);
    expect(Buffer.from(payload).toString()).toBe('Example of Ed25519 signing');
    await expect(compactVerify(ED25519.jws.replace('.RX', '.SX'), key)).rejects.toThrow();
  });

  it('of RFC 7638 3.1 is RS256 and has the thumbprint of its example', async () => {
    expect(algorithmOf(RSA.jwk)).toEqual({ algorithm: 'RS256' });
    expect((await importKey(RSA.jwk, 'RS256')).thumbprint).toBe(RSA.thumbprint);
  });

  it('of P-256 is ES256', () => {
    expect(algorithmOf(publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' })))).toEqual({ algorithm: 'ES256' });
  });

  it.each<[string, JWK]>([
    ['an RSA key of 1024 bits', publicJwk(rsa(1024))],
    ['a private Ed25519 key', ed25519.privateKey.export({ format: 'jwk' }) as JWK],
    ['a private RSA key', rsa(2048).privateKey.export({ format: 'jwk' }) as JWK],
    ['a secret of 31 bytes', { kty: 'oct', k: secretOf(31) }],
    ['an empty secret', { kty: 'oct', k: '' }],
    ['a key of P-384', publicJwk(generateKeyPairSync('ec', { namedCurve: 'P-384' }))],
    ['a key of Ed448', publicJwk(generateKeyPairSync('ed448'))],
    ['a key of another kind', { kty: 'unknown' } as JWK],
    ['a key with an algorithm of another', { ...publicJwk(ed25519), alg: 'ES256' }],
    ['a secret for HS512', { kty: 'oct', k: secretOf(64), alg: 'HS512' }],
    ['a key for encryption', { ...publicJwk(ed25519), use: 'enc' }],
    ['an Ed25519 key without its number', { kty: 'OKP', crv: 'Ed25519' }],
  ])('is refused when it is %s, and is not quoted', (_, jwk) => {
    const refused = algorithmOf(jwk);
    expect(refused).toMatch(/^must /);
    for (const secret of [jwk.k, jwk.d, jwk.n]) if (secret) expect(refused).not.toContain(secret);
  });

  it('of 2048 bits or 32 bytes is long enough', () => {
    expect(algorithmOf(publicJwk(rsa(2048)))).toEqual({ algorithm: 'RS256' });
    expect(algorithmOf({ kty: 'oct', k: secretOf(32) })).toEqual({ algorithm: 'HS256' });
  });

  it('is measured by the bytes of its secret, not by the length of its text', async () => {
    const jwk = { kty: 'oct', k: `AAAA${' '.repeat(60)}` };
    const isTaken = typeof algorithmOf(jwk) !== 'string' && (await importKey(jwk, 'HS256').then(Boolean, () => false));
    expect(isTaken).toBe(false);
  });

  it('is measured by the bits of its modulus, not by zeros ahead of them', () => {
    const { n = '', ...rest } = publicJwk(rsa(1024));
    const padded = Buffer.concat([Buffer.alloc(128), Buffer.from(n, 'base64url')]).toString('base64url');
    expect(algorithmOf({ ...rest, n: padded })).toMatch(/2048 to/);
  });

  it('is refused when it holds the primes of an RSA key, which make up the private part', () => {
    const { d: _, ...primes } = rsa(2048).privateKey.export({ format: 'jwk' }) as JWK;
    expect(algorithmOf(primes)).toMatch(/^must /);
  });
});

import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { compact, MAX_TTL, NOW, verified } from './signing.ts';

const pairs = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const secret = Buffer.alloc(32, 9);
const jwkOf = (key: KeyObject): JWK => key.export({ format: 'jwk' }) as JWK;
const keyOf = (kid: string, jwk: JWK) => ({ kid, jwk, grants: { '>': 'rwp' } });
const KEYS = [
  ...Object.entries(pairs).map(([alg, { publicKey }]) => keyOf(alg, jwkOf(publicKey))),
  keyOf('HS256', { kty: 'oct', k: secret.toString('base64url') }),
];
const GOOD = { iss: 'acme', sub: 'alice', iat: NOW, exp: NOW + 3600, can: { room: 'r' } };
const token = (
  claims: object = {},
  header: object = {},
  key: KeyObject | Uint8Array = pairs.EdDSA.privateKey,
): string => compact({ alg: 'EdDSA', kid: 'EdDSA', ...header }, { ...GOOD, ...claims }, key);
const codeOf = async (text: string | null, nowSeconds = NOW) => {
  const result = await verified(text, KEYS, nowSeconds);
  return 'status' in result ? `${result.status} ${result.code}` : 'good';
};

describe('a token', () => {
  it.each(['EdDSA', 'ES256', 'RS256', 'HS256'] as const)('signed with %s is good', async (alg) => {
    const key = alg === 'HS256' ? secret : pairs[alg].privateKey;
    expect(await verified(token({ dev: 'd', jti: 'j' }, { alg, kid: alg }, key), KEYS)).toMatchObject({
      tenant: 'acme',
      sub: 'alice',
      dev: 'd',
      jti: 'j',
      kid: alg,
      issuedAtMs: NOW * 1000,
      expiresAtMs: (NOW + 3600) * 1000,
      can: [{ pattern: ['room'], permissions: 1 }],
    });
  });

  it.each<[string, string | null, string]>([
    ['null', null, '401 token_missing'],
    ['empty', '', '401 token_missing'],
    ['no JWT', 'hello', '403 token_invalid'],
    ['of a tenant that is not there', token({ iss: 'globex' }), '403 token_invalid'],
    ['of no tenant', token({ iss: undefined }), '403 token_invalid'],
    ['of a key that is not there', token({}, { kid: 'none' }), '403 token_invalid'],
    ['without a kid', token({}, { kid: undefined }), '403 token_invalid'],
    ['unsigned', token({}, { alg: 'none' }).replace(/[^.]+$/, ''), '403 token_invalid'],
    ['signed by another key', token({}, {}, generateKeyPairSync('ed25519').privateKey), '403 token_invalid'],
    ['of another algorithm than its key', token({}, { kid: 'ES256' }), '403 token_invalid'],
    ['signed with the public key as a secret', confused(), '403 token_invalid'],
    ['with an extension it calls critical', token({}, { crit: ['x'], x: 1 }), '403 token_invalid'],
    ['with an unencoded payload', token({}, { b64: false, crit: ['b64'] }), '403 token_invalid'],
    [
      'changed after it was signed',
      token().replace(/\.[^.]+\./, `.${part({ ...GOOD, sub: 'bob' })}.`),
      '403 token_invalid',
    ],
    ['over 8,192 bytes', token({ jti: 'x'.repeat(8192) }), '403 token_invalid'],
    ['of no user', token({ sub: undefined }), '403 token_claims_invalid'],
    ['of no end', token({ exp: undefined }), '403 token_claims_invalid'],
    ['with exp as text', token({ exp: String(NOW + 60) }), '403 token_claims_invalid'],
    ['with iat as text', token({ iat: String(NOW) }), '403 token_claims_invalid'],
    ['with nbf as text', token({ nbf: String(NOW) }), '403 token_claims_invalid'],
    ['with a claim of somebody else', token({ 'http://example.com/is_root': true }), '403 token_claims_invalid'],
    ['expired this second', token({ exp: NOW }), '403 token_expired'],
    ['expired long ago', token({ iat: 1, exp: 2 }), '403 token_expired'],
    ['expired, with a bad signature', `${token({ exp: NOW - 9 }).slice(0, -9)}AAAAAAAA`, '403 token_invalid'],
    ['not yet good', token({ nbf: NOW + 60 }), '403 token_not_yet_valid'],
    ['issued in the future', token({ iat: NOW + 60 }), '403 token_not_yet_valid'],
    ['good for too long', token({ exp: NOW + MAX_TTL + 1 }), '403 token_ttl_too_long'],
    [
      'good for too long after now, without iat',
      token({ iat: undefined, exp: NOW + MAX_TTL + 2 }),
      '403 token_ttl_too_long',
    ],
    ['good for too long since it was issued', token({ iat: NOW - MAX_TTL, exp: NOW + 1 }), '403 token_ttl_too_long'],
    ['good for as long as may be', token({ exp: NOW + MAX_TTL }), 'good'],
    ['good for as long as may be, without iat', token({ iat: undefined, exp: NOW + MAX_TTL }), 'good'],
    ['good for one more second', token({ exp: NOW + 1 }), 'good'],
  ])('that is %s is answered as the document says', async (_, text, code) => {
    expect(await codeOf(text)).toBe(code);
  });

  it('good for as long as may be after its iat is good when the clock of its server is a little ahead', async () => {
    expect(await codeOf(token({ iat: NOW + 2, exp: NOW + 2 + MAX_TTL }))).toBe('good');
  });

  it('without iat counts as issued before everything', async () => {
    expect(await verified(token({ iat: undefined }), KEYS)).toMatchObject({ issuedAtMs: 0 });
  });

  it('with the payload of RFC 7515 A.1 is refused by its claims, though its signature is good', async () => {
    const payload = { iss: 'acme', exp: 1_300_819_380, 'http://example.com/is_root': true };
    const text = compact({ typ: 'JWT', alg: 'HS256', kid: 'HS256' }, payload, secret);
    expect(await codeOf(text, 1_300_819_300)).toBe('403 token_claims_invalid');
    expect(await codeOf(text, 1_300_819_380 + 60)).toBe('403 token_expired');
  });

  it('that is refused is not quoted', async () => {
    for (const text of [
      token({ sub: 'top secret' }, { kid: 'none' }),
      token({ sub: 'top secret', can: { '{sub}': 'r' } }),
    ]) {
      const refused = JSON.stringify(await verified(text, KEYS));
      expect(refused).not.toContain('secret');
      expect(refused).not.toContain(text.slice(-20));
    }
  });
});

/** The old attack: an HMAC under the bytes of the public key. */
function confused(): string {
  const { x = '' } = jwkOf(pairs.EdDSA.publicKey);
  return token({}, { alg: 'HS256' }, Buffer.from(x, 'base64url'));
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { compact, MAX_TTL, NOW, verified } from './signing.ts';

const pairs = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const secret = randomBytes(32);
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
    ['without iat', token({ iat: undefined }), '403 token_claims_invalid'],
    ['good for too long, later', token({ iat: NOW + 60, exp: NOW + MAX_TTL + 61 }), '403 token_ttl_too_long'],
    ['issued as far ahead as clocks may differ', token({ iat: NOW + 5 }), 'good'],
    ['issued further ahead', token({ iat: NOW + 6 }), '403 token_not_yet_valid'],
    ['to be used as far ahead as clocks may differ', token({ nbf: NOW + 5 }), 'good'],
    ['good for too long since it was issued', token({ iat: NOW - MAX_TTL, exp: NOW + 1 }), '403 token_ttl_too_long'],
    ['good for as long as may be', token({ exp: NOW + MAX_TTL }), 'good'],
    ['good for one more second', token({ exp: NOW + 1 }), 'good'],
  ])('that is %s is answered as the document says', async (_, text, code) => {
    expect(await codeOf(text)).toBe(code);
  });

  it('good for as long as may be after its iat is good when the clock of its server is a little ahead', async () => {
    expect(await codeOf(token({ iat: NOW + 2, exp: NOW + 2 + MAX_TTL }))).toBe('good');
  });

  it.each(['EdDSA', 'Ed25519'])('signed with Ed25519 is good when its header says %s', async (alg) => {
    expect(await codeOf(token({}, { alg }))).toBe('good');
  });

  it.each<[string, unknown, string]>([
    ['JWT', 'JWT', 'good'],
    ['jwt', 'jwt', 'good'],
    ['an access token for somebody else', 'at+jwt', '403 token_claims_invalid'],
    ['a proof of possession', 'dpop+jwt', '403 token_claims_invalid'],
    ['a number', 1, '403 token_claims_invalid'],
    ['nil', null, '403 token_claims_invalid'],
    ['empty', '', '403 token_claims_invalid'],
  ])('whose type is %s is answered as the document says', async (_, typ, code) => {
    expect(await codeOf(token({}, { typ }))).toBe(code);
  });

  it.each<[string, (good: string) => string]>([
    ['a space after it', (good) => `${good} `],
    ['a line end after it', (good) => `${good}\n`],
    ['a space inside its signature', (good) => good.replace(/.{10}$/, (end) => ` ${end}`)],
    ['a line end inside its payload', (good) => good.replace('.', '.\n')],
    ['padding', (good) => `${good}==`],
    ['padding of its header', (good) => good.replace('.', '=.')],
    ['the letters of plain base64', (good) => good.replaceAll('-', '+').replaceAll('_', '/')],
    ['a character that decoders skip', (good) => `${good.slice(0, -1)}!${good.slice(-1)}`],
    ['loose bits at its end', loosened],
    ['a dot after it', (good) => `${good}.`],
    ['a zero byte after it', (good) => `${good}\u0000`],
  ])('is good in one spelling alone, not with %s', async (_, respell) => {
    let good = token();
    for (let i = 0; !/[-_]/.test(good.split('.')[2] ?? ''); i++) good = token({ jti: String(i) });
    expect(await codeOf(good)).toBe('good');
    expect(await codeOf(respell(good))).toBe('403 token_invalid');
  });

  it.each<[string, string, string, string]>([
    ['kid', '{"alg":"EdDSA","kid":"none","kid":"EdDSA"}', '', '403 token_invalid'],
    ['kid, spelled otherwise', '{"alg":"EdDSA","kid":"EdDSA","k\\u0069d":"EdDSA"}', '', '403 token_invalid'],
    ['a member nobody looks at', '{"alg":"EdDSA","kid":"EdDSA","x":1,"x":1}', '', '403 token_invalid'],
    ['can', '', '"can":{"a":"r"},"can":{"b":"r"}', '403 token_claims_invalid'],
    ['a pattern', '', '"can":{"a":"r","a":"rw"}', '403 token_claims_invalid'],
    ['a pattern that objects inherit', '', '"not":{"__proto__":"r","__proto__":"w"}', '403 token_claims_invalid'],
    ['iss', '', '"iss":"globex","iss":"acme"', '403 token_claims_invalid'],
    ['exp', '', '"exp":1', '403 token_claims_invalid'],
  ])('in which a name stands twice is refused: %s', async (_, header, claims, code) => {
    const { iss, can, ...rest } = GOOD;
    const payload = `{${claims},${JSON.stringify(claims.includes('iss') ? { ...rest, can } : { ...rest, iss }).slice(1)}`;
    const text = signed(header || '{"alg":"EdDSA","kid":"EdDSA"}', claims === '' ? JSON.stringify(GOOD) : payload);
    expect(await codeOf(text)).toBe(code);
  });

  it.each<[string, string]>([
    ['not JSON', '{"iss":"acme",}'],
    ['a list', '["acme"]'],
    ['nil', 'null'],
    ['after a byte order mark', `\ufeff${JSON.stringify(GOOD)}`],
  ])('whose payload is %s is refused', async (_, payload) => {
    expect(await codeOf(signed('{"alg":"EdDSA","kid":"EdDSA"}', payload))).toBe('403 token_invalid');
  });

  it('whose payload is no UTF-8 is refused', async () => {
    const payload = Buffer.from(JSON.stringify({ ...GOOD, jti: 'caf?' }).replace('caf?', 'caf\u00e9'), 'latin1');
    expect(await codeOf(signed('{"alg":"EdDSA","kid":"EdDSA"}', payload))).toBe('403 token_invalid');
  });

  it('may have names that objects inherit, taken like any other', async () => {
    const payload = JSON.stringify({ ...GOOD, can: 0 }).replace('"can":0', '"can":{"__proto__":"r","constructor":"w"}');
    expect(await verified(signed('{"alg":"EdDSA","kid":"EdDSA"}', payload), KEYS)).toMatchObject({
      can: [
        { pattern: ['__proto__'], permissions: 1 },
        { pattern: ['constructor'], permissions: 2 },
      ],
    });
  });

  it('with the payload of RFC 7515 A.1 is refused by its claims, though its signature is good', async () => {
    const payload = { iss: 'acme', exp: 1_300_819_380, 'http://example.com/is_root': true };
    const text = compact({ typ: 'JWT', alg: 'HS256', kid: 'HS256' }, payload, secret);
    expect(await codeOf(text, 1_300_819_300)).toBe('403 token_claims_invalid');
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

/** A token of any header and payload, signed with the key EdDSA. */
function signed(header: string, payload: string | Buffer): string {
  const input = [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
  return `${input}.${sign(null, Buffer.from(input), pairs.EdDSA.privateKey).toString('base64url')}`;
}

/** The same bytes in base64url, but for the bits that the last character of 64 bytes does not need. */
function loosened(good: string): string {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = ALPHABET[ALPHABET.indexOf(good.at(-1) ?? '') + 1] ?? '';
  const respelled = good.slice(0, -1) + last;
  expect(Buffer.from(respelled.split('.')[2] ?? '', 'base64url')).toEqual(
    Buffer.from(good.split('.')[2] ?? '', 'base64url'),
  );
  return respelled;
}

function part(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

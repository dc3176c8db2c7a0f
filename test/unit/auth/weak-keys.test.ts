import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { algorithmOf } from '../../../src/auth/keys.ts';

const text = (bytes: Uint8Array | string): string =>
  Buffer.from(bytes as string, typeof bytes === 'string' ? 'hex' : undefined).toString('base64url');
const ed25519 = (hex: string): JWK => ({ kty: 'OKP', crv: 'Ed25519', x: text(hex) });
const number = (value: bigint, bytes: number): string => text(value.toString(16).padStart(2 * bytes, '0'));
const jwkOf = ({ publicKey }: { publicKey: KeyObject }): JWK => publicKey.export({ format: 'jwk' }) as JWK;
const ed25519Key = (): JWK => jwkOf(generateKeyPairSync('ed25519'));
const p256Key = (): JWK => jwkOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const rsaKey = (publicExponent = 65_537): JWK =>
  jwkOf(generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent }));
const secret = (bytes: Uint8Array | string): JWK => ({
  kty: 'oct',
  k: Buffer.from(bytes as string).toString('base64url'),
});

const FF = 'ff'.repeat(30);
const LOW_ORDER = [
  `01${'00'.repeat(31)}`,
  `ec${FF}7f`,
  '00'.repeat(32),
  `${'00'.repeat(31)}80`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
];
/** Other encodings of the same: a sign where x is 0, or a y over the prime. */
const NOT_CANONICAL = [`01${'00'.repeat(30)}80`, `ec${FF}ff`, `ed${FF}7f`, `ed${FF}ff`, `ee${FF}7f`, `ee${FF}ff`];

const P256_PRIME = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;

describe('an Ed25519 key', () => {
  it.each(LOW_ORDER)('of low order is refused: %s', (hex) => {
    expect(algorithmOf(ed25519(hex))).toMatch(/low order/);
  });

  it.each(NOT_CANONICAL)('of low order in another encoding is refused: %s', (hex) => {
    expect(algorithmOf(ed25519(hex))).toMatch(/^must /);
  });

  it('that is no point of the curve is refused, as half of all numbers are', () => {
    const refused = Array.from({ length: 200 }, () =>
      algorithmOf({ kty: 'OKP', crv: 'Ed25519', x: text(randomBytes(32)) }),
    ).filter((answer) => typeof answer === 'string');
    expect(refused.length).toBeGreaterThan(50);
    expect(refused.length).toBeLessThan(150);
    for (const answer of refused) expect(answer).toMatch(/^must be a point of the curve/);
  });

  it.each([31, 33, 0, 64])('of %i bytes is refused', (length) => {
    expect(algorithmOf({ kty: 'OKP', crv: 'Ed25519', x: text(randomBytes(length)) })).toMatch(/^must /);
  });

  it('that was made at random is taken', () => {
    for (let i = 0; i < 50; i++) expect(algorithmOf(ed25519Key())).toEqual({ algorithm: 'EdDSA' });
  });
});

describe('a P-256 key', () => {
  const good = p256Key();
  const x = BigInt(`0x${Buffer.from(good.x ?? '', 'base64url').toString('hex')}`);
  it.each<[string, JWK]>([
    ['not on the curve', { ...good, y: good.x ?? '' }],
    ['the origin', { ...good, x: number(0n, 32), y: number(0n, 32) }],
    ['of coordinates over the prime', { ...good, x: number((x % (2n ** 256n - P256_PRIME)) + P256_PRIME, 32) }],
    [
      'with a zero ahead',
      { ...good, x: text(Buffer.concat([Buffer.alloc(1), Buffer.from(good.x ?? '', 'base64url')])) },
    ],
    ['cut short', { ...good, y: (good.y ?? '').slice(0, -3) }],
    ['of a number in place of text', { ...good, y: 5 as unknown as string }],
    ['of plain base64', { ...good, x: Buffer.from(good.x ?? '', 'base64url').toString('base64') }],
  ])('that is %s is refused', (_, jwk) => {
    expect(algorithmOf(jwk)).toMatch(/^must /);
  });

  it('that was made at random is taken', () => {
    for (let i = 0; i < 50; i++) expect(algorithmOf(p256Key())).toEqual({ algorithm: 'ES256' });
  });
});

describe('an RSA key', () => {
  const good = rsaKey();
  const n = BigInt(`0x${Buffer.from(good.n ?? '', 'base64url').toString('hex')}`);
  const e = (value: bigint, bytes = 1): JWK => ({ ...good, e: number(value, bytes) });
  it.each<[string, JWK, RegExp]>([
    ['with exponent 1', e(1n), /exponent/],
    ['with exponent 0', e(0n), /^must/],
    ['with exponent 3', e(3n), /at least 65537/],
    ['with exponent 17', e(17n), /at least 65537/],
    ['with exponent 65535', e(65_535n, 2), /at least 65537/],
    ['with an even exponent', e(65_538n, 3), /odd/],
    ['with an exponent as long as its modulus', e(n - 2n, 256), /exponent/],
    ['with an even modulus', { ...good, n: number(n - 1n, 256) }, /small factor/],
    ['with a modulus that 3 divides', { ...good, n: number(n - (n % 6n) + 3n, 256) }, /small factor/],
    ['of 2047 bits', { ...good, n: number(n >> 1n, 256) }, /2048 to 16384 bits/],
    ['of 16385 bits', { ...good, n: number((1n << 16_384n) + 1n, 2049) }, /2048 to 16384 bits/],
    ['with a zero ahead of its modulus', { ...good, n: number(n, 257) }, /zeros/],
    ['with a zero ahead of its exponent', e(65_537n, 4), /zeros/],
  ])('%s is refused', (_, jwk, reason) => {
    expect(algorithmOf(jwk)).toMatch(reason);
  });

  it('with another common exponent is taken', () => {
    const other = rsaKey(0x1_00_03);
    for (const jwk of [good, other]) expect(algorithmOf(jwk)).toEqual({ algorithm: 'RS256' });
  });
});

describe('a secret', () => {
  it.each<[string, Uint8Array | string]>([
    ['zeros', new Uint8Array(32)],
    ['one byte again and again', new Uint8Array(64).fill(0x61)],
    ['zeros and a one', Uint8Array.from({ length: 32 }, (_, i) => (i === 31 ? 1 : 0))],
    ['few different bytes', 'aabbccddabcdabdcacbdadbcbacdbadc'],
    ['a word again and again', 'password'.repeat(4)],
    ['a word again and again, cut off', 'changeme-please'.repeat(4).slice(0, 50)],
    ['the digits again and again', '0123456789abcdef'.repeat(4)],
    ['counting bytes', Uint8Array.from({ length: 32 }, (_, i) => i)],
    ['counting bytes backwards', Uint8Array.from({ length: 64 }, (_, i) => 255 - i)],
    ['the alphabet and digits', 'abcdefghijklmnopqrstuvwxyz0123456789'],
  ])('of %s is refused, and not quoted', (_, bytes) => {
    const refused = algorithmOf(secret(bytes));
    expect(refused).toMatch(/random/);
    expect(refused).not.toContain(secret(bytes).k);
  });

  it('that was made at random is taken, as bytes and as text', () => {
    for (let i = 0; i < 200; i++) {
      const bytes = randomBytes(32);
      for (const made of [bytes, bytes.toString('hex'), bytes.toString('base64'), crypto.randomUUID()])
        expect(algorithmOf(secret(made))).toEqual({ algorithm: 'HS256' });
    }
  });
});

describe('a key', () => {
  const good = ed25519Key();
  it.each<[string, object]>([
    ['X25519 by its curve', { crv: 'X25519' }],
    ['P-256 by its curve', { crv: 'P-256' }],
    ['elliptic by its kind', { kty: 'EC' }],
    ['for another algorithm', { alg: 'RS256' }],
    ['for signing alone', { key_ops: ['sign'] }],
    ['for what is no list', { key_ops: 'verify' }],
  ])('that is said to be %s is refused', (_, change) => {
    expect(algorithmOf({ ...good, ...change })).toMatch(/^must /);
  });

  it.each(['EdDSA', 'Ed25519', undefined])('of Ed25519 may have the algorithm %s', (alg) => {
    expect(algorithmOf({ ...good, ...(alg === undefined ? {} : { alg }), key_ops: ['verify'] })).toEqual({
      algorithm: 'EdDSA',
    });
  });
});

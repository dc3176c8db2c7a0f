import { createHmac, sign as signBytes } from 'node:crypto';
import { type CryptoKey, exportJWK, exportSPKI, generateKeyPair, type JWK } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { forge, type KeyedRelay, startKeyedRelay } from './keyed-relay.ts';
import { expectRefused, INVALID } from './refused-token.ts';
import { error, expectEnd, type Innocents, innocent } from './support.ts';

const nowSeconds = (): number => Math.floor(Date.now() / 1000);
const payload = (tenant = 'tenant-zebra') => ({
  iss: tenant,
  sub: 'mongoose',
  iat: nowSeconds(),
  exp: nowSeconds() + 600,
  can: { '>': 'rw' },
});
const header = (alg: string) => ({ alg, kid: 'kid-quokka' });
const hmac = (secret: Uint8Array | string) => (signed: Buffer) =>
  new Uint8Array(createHmac('sha256', secret).update(signed).digest());
const publicJwk = (relay: KeyedRelay, tenant: string): Promise<JWK> => exportJWK(publicKey(relay, tenant));

function publicKey(relay: KeyedRelay, tenant: string): CryptoKey {
  return relay.publicKeys[`${tenant}/kid-quokka`] as CryptoKey; // the three with key pairs have one
}

async function tampered(relay: KeyedRelay, part: number): Promise<string> {
  const parts = (await relay.sign()).split('.');
  const other = (await relay.sign({ sub: 'mongoose2', can: { '>': 'rwpa' } })).split('.');
  parts[part] = other[part] ?? '';
  return parts.join('.');
}

/** Confusions of an asymmetric key with an HMAC secret: all an attacker needs for it is public. */
const CONFUSIONS = ['tenant-zebra', 'tenant-heron', 'tenant-ibis'].flatMap((tenant) =>
  (
    [
      ['PEM', (relay) => exportSPKI(publicKey(relay, tenant))],
      ['PEM without its last line end', async (relay) => (await exportSPKI(publicKey(relay, tenant))).trimEnd()],
      ['DER', async (relay) => new Uint8Array(await crypto.subtle.exportKey('spki', publicKey(relay, tenant)))],
      ['JWK', async (relay) => JSON.stringify(await publicJwk(relay, tenant))],
      [
        'its number alone',
        async (relay) => {
          const { x, n } = await publicJwk(relay, tenant);
          return new Uint8Array(Buffer.from(x ?? n ?? '', 'base64url'));
        },
      ],
    ] satisfies [string, (relay: KeyedRelay) => Promise<Uint8Array | string>][]
  ).map(
    ([form, secret]) =>
      [
        `HMAC under the public key of ${tenant} as ${form}`,
        async (relay: KeyedRelay) => forge(header('HS256'), payload(tenant), hmac(await secret(relay))),
      ] as const,
  ),
);

const FORGED: readonly (readonly [name: string, token: (relay: KeyedRelay) => string | Promise<string>])[] = [
  ['a word', () => 'garbage'],
  ['two dots', () => '..'],
  ['three words', () => 'a.b.c'],
  ['four dots', () => 'a.b.c.d.e'],
  ['two parts', async (relay) => (await relay.sign()).split('.').slice(0, 2).join('.')],
  ['a dot too many', async (relay) => `${await relay.sign()}.`],
  ['no signature', async (relay) => (await relay.sign()).replace(/[^.]+$/, '')],
  ['a signature cut short', async (relay) => (await relay.sign()).slice(0, -4)],
  ['JSON in place of compact form', async (relay) => JSON.stringify({ token: await relay.sign() })],
  ['a header that is no JSON', () => forge('{', payload())],
  ['a header that is a list', () => forge([], payload())],
  ['a header that is null', () => forge('null', payload())],
  ['a payload that is no JSON', () => forge(header('EdDSA'), '{')],
  ['a payload that is a list', () => forge(header('EdDSA'), [])],
  ['alg none', () => forge(header('none'), payload())],
  ['alg None', () => forge(header('None'), payload())],
  ['alg none with a signature', async (relay) => forge(header('none'), payload(), hmac(await relay.sign()))],
  ['no alg', () => forge({ kid: 'kid-quokka' }, payload())],
  ['alg that is a list', () => forge({ alg: ['EdDSA'], kid: 'kid-quokka' }, payload())],
  ['HS256 with an empty secret', () => forge(header('HS256'), payload(), hmac(''))],
  ['HS256 with an empty secret where HS256 is right', () => forge(header('HS256'), payload('tenant-lynx'), hmac(''))],
  ['HS512 where HS256 is right', (relay) => hs512(relay)],
  ['PS256 by the very RSA key', (relay) => rsa(relay, 'PS256')],
  ['RS512 by the very RSA key', (relay) => rsa(relay, 'RS512')],
  ['ES256 in the header of an EdDSA token', (relay) => relabeled(relay, 'ES256')],
  ['RS256 in the header of an EdDSA token', (relay) => relabeled(relay, 'RS256')],
  ...CONFUSIONS,
  ['an unknown kid', (relay) => relay.sign({}, { kid: 'kid-nobody' })],
  ['no kid', (relay) => relay.sign({}, { header: { kid: undefined } })],
  ['a kid that is a number', (relay) => relay.sign({}, { header: { kid: 1 } })],
  ['an empty kid', (relay) => relay.sign({}, { header: { kid: '' } })],
  ['a kid that objects inherit', (relay) => relay.sign({}, { header: { kid: '__proto__' } })],
  ['a kid that is a path', (relay) => relay.sign({}, { header: { kid: '../kid-quokka' } })],
  ['another kid of the same tenant', (relay) => relay.sign({}, { header: { kid: 'kid-otter' } })],
  [
    "another tenant's key",
    (relay) =>
      relay.sign({}, { key: relay.privateKeys['tenant-lynx/kid-quokka'] as Uint8Array, header: { alg: 'HS256' } }),
  ],
  ['an unknown tenant', (relay) => relay.sign({ iss: 'tenant-nobody' })],
  ['no tenant', (relay) => relay.sign({ iss: undefined })],
  ['a tenant that objects inherit', (relay) => relay.sign({ iss: 'constructor' }, { header: { alg: 'EdDSA' } })],
  ['a list of tenants', (relay) => relay.sign({ iss: ['tenant-zebra'] })],
  ['the payload of another token', (relay) => tampered(relay, 1)],
  ['the signature of another token', (relay) => tampered(relay, 2)],
  ['crit', (relay) => relay.sign({}, { header: { crit: ['exp'], exp: 1 } }).catch(() => critical())],
  ['crit of nothing', () => forge({ ...header('EdDSA'), crit: [] }, payload())],
  ['a payload said not to be encoded', () => forge({ ...header('EdDSA'), b64: false, crit: ['b64'] }, payload())],
  ['a key of its own in the header', (relay) => withOwnKey(relay)],
];

const critical = () => forge({ ...header('EdDSA'), crit: ['x-mayfly'], 'x-mayfly': 1 }, payload());

async function hs512(relay: KeyedRelay): Promise<string> {
  const secret = relay.privateKeys['tenant-lynx/kid-quokka'] as Uint8Array; // HS256: a secret
  return forge(header('HS512'), payload('tenant-lynx'), (signed) =>
    createHmac('sha512', secret).update(signed).digest(),
  );
}

async function rsa(relay: KeyedRelay, alg: 'PS256' | 'RS512'): Promise<string> {
  const jwk = await exportJWK(relay.privateKeys['tenant-ibis/kid-quokka'] as CryptoKey); // RS256: a key pair
  const key = { key: jwk, format: 'jwk', ...(alg === 'PS256' ? { padding: 6, saltLength: 32 } : {}) } as const;
  return forge(header(alg), payload('tenant-ibis'), (signed) =>
    signBytes(alg === 'PS256' ? 'sha256' : 'sha512', signed, key as unknown as string),
  ); // the types of node do not know JWKs here
}

async function relabeled(relay: KeyedRelay, alg: string): Promise<string> {
  const [, claims = '', signature = ''] = (await relay.sign()).split('.');
  return [Buffer.from(JSON.stringify(header(alg))).toString('base64url'), claims, signature].join('.');
}

async function withOwnKey(relay: KeyedRelay): Promise<string> {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  return relay.sign(
    {},
    { key: privateKey, header: { jwk: await exportJWK(publicKey), jku: 'http://127.0.0.1:9/jwks' } },
  );
}

async function longToken(relay: KeyedRelay): Promise<string> {
  for (let count = 80; ; count++) {
    const can = Object.fromEntries(Array.from({ length: count }, (_, i) => [`room.${i}.${'x'.repeat(60)}`, 'r']));
    const token = await relay.sign({ can });
    if (token.length > 8192) return token;
  }
}

describe('a token whose signature is not known to be good', () => {
  let relay: KeyedRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startKeyedRelay();
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(() => relay.stop());

  it.each(FORGED)('is refused in HELLO, over HTTP and at the upgrade: %s', async (_name, token) => {
    await expectRefused(relay, await token(relay), INVALID);
  });

  const wrongEach = async (): Promise<string[]> => [
    await relay.sign({ iss: 'tenant-nobody' }),
    await relay.sign({}, { kid: 'kid-nobody' }),
    await tampered(relay, 2),
    await relabeled(relay, 'RS256'),
  ];

  it('is refused in HELLO in the same bytes whether its tenant, its key or its signature is wrong', async () => {
    const told = new Set<string>();
    for (const token of await wrongEach()) {
      const { frame, reason } = await expectRefused(relay, token, INVALID);
      told.add(`${frame} ${reason}`);
    }
    expect(told.size).toBe(1);
  });

  it.each(['http', 'upgrade'] as const)(
    'is refused with the same headers and body whether its tenant, its key or its signature is wrong: %s',
    async (how) => {
      const told: object[] = [];
      for (const token of await wrongEach()) {
        const { status, headers, text } = (await expectRefused(relay, token, INVALID))[how];
        told.push({ status, headers: { ...headers, date: '' }, text });
      }
      expect(told).toEqual(told.map(() => told[0]));
    },
  );

  it('is refused in HELLO when it has over 8,192 bytes', async () => {
    const client = await relay.open();
    client.send([1, 1, await longToken(relay)]);
    await expectEnd(client, 4503, [error(403, 'token_invalid')]);
  });

  it('is refused over HTTP and at the upgrade when it has over 8,192 bytes', async () => {
    await expectRefused(relay, await longToken(relay), INVALID);
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type KeyedRelay, startKeyedRelay } from './keyed-relay.ts';
import { CLAIMS_INVALID, expectRefused, type Refused } from './refused-token.ts';
import { expectAlive, type Innocents, innocent, jsonOf, post, upgrade } from './support.ts';

const MAX_TTL_SECONDS = 7200;
const now = Math.floor(Date.now() / 1000);

type Claims = Readonly<Record<string, unknown>>;

const EXPIRED: Refused = { status: 403, code: 'token_expired', close: 4001 };
const NOT_YET: Refused = { status: 403, code: 'token_not_yet_valid', close: 4007 };
const TOO_LONG: Refused = { status: 403, code: 'token_ttl_too_long', close: 4503 };

const TIMES: readonly (readonly [name: string, claims: Claims, refused: Refused])[] = [
  ['expired a minute ago', { iat: now - 600, exp: now - 60 }, EXPIRED],
  ['expired two seconds ago', { iat: now - 600, exp: now - 2 }, EXPIRED],
  ['expired in 1970', { iat: 0, exp: 1 }, EXPIRED],
  ['nbf in a minute', { nbf: now + 60 }, NOT_YET],
  ['iat in a minute', { iat: now + 60, exp: now + 600 }, NOT_YET],
  ['a life over the limit', { exp: now + MAX_TTL_SECONDS + 60 }, TOO_LONG],
  ['a life over the limit that began long ago', { iat: now - MAX_TTL_SECONDS, exp: now + 60 }, TOO_LONG],
  ['a life over the limit that is to begin', { iat: now + 60, exp: now + MAX_TTL_SECONDS + 120 }, TOO_LONG],
  ['no end at all', { exp: Number.MAX_SAFE_INTEGER }, TOO_LONG],
];

const MALFORMED: readonly (readonly [claim: string, name: string, claims: Claims])[] = [
  ['exp', 'none', { exp: undefined }],
  ['exp', 'null', { exp: null }],
  ['exp', 'a string', { exp: String(now + 600) }],
  ['iat', 'none', { iat: undefined }],
  ['iat', 'negative', { iat: -1 }],
  ['iat', 'a string', { iat: String(now) }],
  ['nbf', 'a string', { nbf: String(now) }],
  ['sub', 'none', { sub: undefined }],
  ['sub', 'empty', { sub: '' }],
  ['sub', 'a number', { sub: 7 }],
  ['sub', 'a list', { sub: ['mongoose'] }],
  ['dev', 'empty', { dev: '' }],
  ['dev', 'a number', { dev: 7 }],
  ['jti', 'a number', { jti: 7 }],
  ...['can', 'not'].flatMap((claim) =>
    (
      [
        ['a string', 'rw'],
        ['a list', [['>', 'rw']]],
        ['null', null],
        ['an unknown letter', { 'room.a': 'x' }],
        ['a letter of another case', { 'room.a': 'R' }],
        ['no letters', { 'room.a': '' }],
        ['a letter twice', { 'room.a': 'rr' }],
        ['a letter twice, apart', { 'room.a': 'rwr' }],
        ['a space among letters', { 'room.a': 'r w' }],
        ['letters that are a list', { 'room.a': ['r'] }],
        ['letters that are a number', { 'room.a': 7 }],
        ['letters that objects inherit', { 'room.a': 'constructor' }],
        ['an empty pattern', { '': 'r' }],
        ['an empty segment', { 'a..b': 'r' }],
        ['* inside a segment', { 'a*': 'r' }],
        ['> not last', { '>.a': 'r' }],
        ['a reserved name', { $audit: 'r' }],
        ['a space in a pattern', { 'a b': 'r' }],
        ['17 segments', { [Array(17).fill('s').join('.')]: 'r' }],
        ['201 bytes', { ['x'.repeat(201)]: 'r' }],
        ['one bad entry among good ones', { 'a.b': 'r', 'a.*.c': 'rw', 'c..d': 'r' }],
        ['{dev} without dev', { 'inbox.{dev}': 'r' }],
      ] as const
    ).map(([name, value]) => [claim, name, { [claim]: value }] as const),
  ),
  ...['a.b', '*', '>', 'a*', '.', 'a b', 'é', '\n'].flatMap((sub) => [
    ['sub', `${JSON.stringify(sub)} where {sub} is used`, { sub, can: { 'inbox.{sub}': 'r' } }] as const,
    ['sub', `${JSON.stringify(sub)} where {sub} is used to deny`, { sub, not: { 'inbox.{sub}': 'r' } }] as const,
    ['dev', `${JSON.stringify(sub)} where {dev} is used`, { dev: sub, can: { '{dev}.in': 'r' } }] as const,
  ]),
  ['ops', 'unknown', { ops: ['destroy'] }],
  ['ops', 'one unknown among known', { ops: ['revoke', 'destroy'] }],
  ['ops', 'a string', { ops: 'revoke' }],
  ['ops', 'a map', { ops: { revoke: true } }],
  ['ops', 'null', { ops: null }],
];

describe('a token with a good signature', () => {
  let relay: KeyedRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startKeyedRelay({ limits: { maxTokenTtlSeconds: MAX_TTL_SECONDS } });
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(() => relay.stop());

  it.each(TIMES)('is refused for its times: %s', async (_name, claims, refused) => {
    await expectRefused(relay, await relay.sign(claims), refused);
  });

  it.each(MALFORMED)('is refused for %s, and the detail names the claim: %s', async (claim, _name, claims) => {
    const { detail } = await expectRefused(relay, await relay.sign(claims), CLAIMS_INVALID);
    expect(detail).toMatch(new RegExp(`\\b${claim}\\b`));
  });

  it.each(['aud', 'nope', 'Can', 'scope', 'grants', 'typ', '__proto_'])(
    'is refused for an unknown claim: %s',
    async (claim) => {
      for (const value of ['x', { '>': 'w' }, null])
        await expectRefused(relay, await relay.sign({ [claim]: value }), CLAIMS_INVALID);
    },
  );

  it('is refused for an unknown claim, and the detail lists those that are known', async () => {
    const { detail } = await expectRefused(relay, await relay.sign({ denials: { '>': 'w' } }), CLAIMS_INVALID);
    expect(detail).not.toContain('denials');
    for (const known of ['iss', 'sub', 'dev', 'jti', 'iat', 'nbf', 'exp', 'can', 'not', 'ops'])
      expect(detail).toContain(known);
  });

  it.each<readonly [string, string | null]>([
    ['nil', null],
    ['an empty string', ''],
  ])('is not there: %s', async (_name, token) => {
    await expectRefused(relay, token, { status: 401, code: 'token_missing', close: 4502 });
  });

  it.each(['Basic bW9uZ29vc2U6eA==', 'Bearer', 'Bearer a b', 'Token x'])(
    'is not there for HTTP with another Authorization: %s',
    async (authorization) => {
      const answer = await post(`${relay.httpUrl}/v1/channels/secret.lair/messages`, { headers: { authorization } });
      expect(jsonOf(answer)).toEqual({ status: 401, code: 'token_missing', detail: expect.any(String) });
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer/);
      const upgraded = await upgrade(relay.url, { authorization });
      expect([401, 403]).toContain(upgraded.status);
    },
  );

  it.each(['token', 'access_token', 'x'])(
    'is refused in the query string of the upgrade, and not repeated: %s',
    async (name) => {
      const token = await relay.sign();
      for (const headers of [{}, { authorization: `Bearer ${token}` }]) {
        const answer = await upgrade(`${relay.url}?${name}=${token}`, headers);
        expect(answer.status).toBe(400);
        expect(jsonOf(answer)).toEqual({ status: 400, code: 'token_in_url', detail: expect.any(String) });
        for (const part of token.split('.')) expect(answer.text + JSON.stringify(answer.headers)).not.toContain(part);
      }
    },
  );

  it.each(['tenant-zebra', 'tenant-heron', 'tenant-ibis', 'tenant-lynx'])(
    'is taken in HELLO, at the upgrade and over HTTP, of whichever algorithm the key is: %s',
    async (iss) => {
      const token = await relay.sign({ iss });
      const byHello = await relay.open();
      await byHello.hello(token);
      const byHeader = await relay.open({ authorization: `Bearer ${token}` });
      const [, sender, info] = await byHeader.welcome();
      expect(sender).not.toBe(byHello.sender);
      expect(info).toEqual({ boot: expect.any(String), expiry: expect.any(Number), limits: expect.any(Object) });
      await byHello.attach('secret.lair', 1);
      const answer = await post(`${relay.httpUrl}/v1/channels/secret.lair/messages`, { token });
      expect(jsonOf(answer)).toEqual({ seq: 1, subscribers: 1 });
      await byHello.nextOf(4);
      await expectAlive(byHeader);
    },
  );

  describe('of nearly 8,192 bytes', () => {
    let token = '';
    beforeAll(async () => {
      for (let count = 70; token.length <= 8100; count++) {
        const can = Object.fromEntries(Array.from({ length: count }, (_, i) => [`room.${i}.${'x'.repeat(50)}`, 'r']));
        token = await relay.sign({ can: { ...can, '>': 'rw' } });
      }
      expect(token.length).toBeLessThanOrEqual(8192);
    });

    it('is taken in HELLO', async () => {
      const client = await relay.open();
      await client.hello(token);
      await expectAlive(client);
    });

    it('is taken over HTTP', async () => {
      const answer = await post(`${relay.httpUrl}/v1/channels/secret.lair/messages`, { token });
      expect(answer.status).toBe(202);
    });

    it('is taken at the upgrade', async () => {
      expect((await upgrade(relay.url, { authorization: `Bearer ${token}` })).status).toBe(101);
    });
  });
});

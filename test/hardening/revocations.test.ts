import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import {
  error,
  expectAlive,
  expectEnd,
  type Innocents,
  innocent,
  jsonOf,
  ManualClock,
  type PostOptions,
  post,
  refusal,
} from './support.ts';

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

describe('a revocation', () => {
  let relay: TestRelay;
  let authority: string;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    authority = await relay.mint({ sub: 'authority', ops: ['revoke'] }, 'ops');
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  const revoke = (body: string | object, options: PostOptions = {}) =>
    post(`${relay.httpUrl}/v1/revocations`, {
      token: authority,
      type: 'application/json',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...options,
    });

  it.each<readonly [string, string | object, string]>([
    ['nothing', '', 'bad_body'],
    ['JSON cut short', '{"sub":"innocent-writer"', 'bad_body'],
    ['no JSON', 'sub=innocent-writer', 'bad_body'],
    ['null', 'null', 'bad_body'],
    ['a string', '"innocent-writer"', 'bad_body'],
    ['a list', [{ sub: 'innocent-writer' }], 'bad_body'],
    ['no target', {}, 'bad_body'],
    ['only a time', { before: 1 }, 'bad_body'],
    ['an unknown member', { sub: 'innocent-writer', why: 'x' }, 'bad_body'],
    ['a target twice', '{"sub":"innocent-writer","sub":"mallory"}', 'bad_body'],
    ['a time twice', '{"sub":"innocent-writer","before":1,"before":2}', 'bad_body'],
    ['a member that objects inherit', { sub: 'innocent-writer', toString: 1 }, 'bad_body'],
    ['two targets', { sub: 'innocent-writer', jti: 'x' }, 'bad_body'],
    ['a key and a channel', { kid: 'app', channel: '>' }, 'bad_body'],
    ['dev without sub', { dev: 'phone' }, 'bad_body'],
    ['a sub that is a number', { sub: 1 }, 'bad_body'],
    ['an empty sub', { sub: '' }, 'bad_body'],
    ['a sub that is a list', { sub: ['innocent-writer'] }, 'bad_body'],
    ['a dev that is null', { sub: 'innocent-writer', dev: null }, 'bad_body'],
    ['a time that is a string', { sub: 'innocent-writer', before: '2030-01-01' }, 'bad_body'],
    ['a negative time', { sub: 'innocent-writer', before: -1 }, 'bad_body'],
    ['a time that is null', { sub: 'innocent-writer', before: null }, 'bad_body'],
    ['a bad channel', { channel: 'innocent..1' }, 'bad_channel'],
    ['a bad pattern', { channel: 'innocent.>.1' }, 'bad_channel'],
    ['a reserved channel', { channel: '$audit' }, 'bad_channel'],
  ])('is refused for a body of %s', async (_name, body, code) => {
    const answer = await revoke(body);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toEqual(refusal(400, code));
    expect(answer.text).not.toContain('innocent');
  });

  it('is refused for a body that objects inherit from', async () => {
    const answer = await revoke('{"__proto__":{"sub":"innocent-writer"}}');
    expect(jsonOf(answer)).toEqual(refusal(400, 'bad_body'));
  });

  it.each<readonly [string, PostOptions, number, string]>([
    ['another content type', { type: 'text/plain' }, 415, 'unsupported_media_type'],
    ['no token', { token: undefined }, 401, 'token_missing'],
    ['a bad token', { token: 'garbage' }, 403, 'token_invalid'],
    ['a body without end', { body: `{"sub":"${'x'.repeat(100_000)}"}` }, 413, 'frame_too_large'],
  ])('is refused for %s', async (_name, options, status, code) => {
    const answer = await revoke({ sub: 'innocent-writer' }, options);
    expect(answer.status).toBe(status);
    expect(jsonOf(answer)).toEqual(refusal(status, code));
  });

  it('is refused for a token without ops, and for one whose key has none', async () => {
    for (const token of [await relay.mint({}, 'ops'), await relay.mint({ ops: ['revoke'] }, 'app')]) {
      const answer = await revoke({ sub: 'innocent-writer' }, { token });
      expect(answer.status).toBe(403);
      expect(jsonOf(answer)).toEqual(refusal(403, 'forbidden'));
    }
  });

  it('by another tenant closes nobody here', async () => {
    const token = await relay.mint({ iss: 'globex', ops: ['revoke'] }, 'ops');
    for (const target of [{ sub: 'innocent-writer' }, { kid: 'app' }, { channel: '>' }]) {
      expect(jsonOf(await revoke(target, { token }))).toEqual({ closed: 0, detached: 0, until: expect.any(Number) });
      await others.feltNothing();
    }
  });

  it('of a user closes each of the user’s connections before it is answered, and keeps the token out', async () => {
    const token = await relay.mint({ sub: 'mallory' });
    const [first, second] = [await relay.open(), await relay.open()];
    for (const client of [first, second]) await client.hello(token);
    const answer = await revoke({ sub: 'mallory' });
    expect(jsonOf(answer)).toEqual({ closed: 2, detached: 0, until: expect.any(Number) });
    for (const client of [first, second]) await expectEnd(client, 4002, [], 1);
    const again = await relay.open();
    again.send([1, 1, token]);
    await expectEnd(again, 4002, [error(403, 'token_revoked')]);
    const published = await post(`${relay.httpUrl}/v1/channels/a/messages`, { token });
    expect(jsonOf(published)).toEqual(refusal(403, 'token_revoked'));
  });

  it('of a channel ends attachments and nothing else', async () => {
    const client = await relay.connect();
    const vault = await client.attach('vault.a', 1 | 2);
    await client.attach('open', 1);
    const answer = await revoke({ channel: 'vault.*' });
    expect(jsonOf(answer)).toEqual({ closed: 0, detached: 1, until: expect.any(Number) });
    expect(await client.nextOf(18)).toEqual([18, null, vault.channelId, 403, 'forbidden']);
    await expectAlive(client);
    const refused = await client.request(2, 'vault.a', 1);
    expect(refused.slice(2, 4)).toEqual([403, 'forbidden']);
  });

  it('of a token id keeps out a token that is dated ahead, once its time has come', async () => {
    const clock = new ManualClock();
    const ahead = await startTestRelay({ clock, limits: { maxTokenTtlSeconds: 7200 } });
    const token = await ahead.mint({ jti: 'j', iat: nowSeconds() + 3600, exp: nowSeconds() + 3600 + 7200 });
    const offer = async () => {
      const client = await ahead.open();
      client.send([1, 1, token]);
      return client.next(() => true);
    };
    expect(await offer()).toEqual(error(403, 'token_not_yet_valid'));
    const answer = await post(`${ahead.httpUrl}/v1/revocations`, {
      token: await ahead.mint({ sub: 'authority', ops: ['revoke'] }, 'ops'),
      type: 'application/json',
      body: JSON.stringify({ jti: 'j' }),
    });
    expect(answer.status).toBe(200);
    for (const seconds of [3600, 3600, 3599]) {
      clock.advance(seconds * 1000);
      expect(await offer()).toEqual(error(403, 'token_revoked'));
    }
    clock.advance(1000);
    expect(await offer()).toEqual(error(403, 'token_expired'));
  });

  it('covers every token issued before its moment, also when that moment is still to come', async () => {
    const clock = new ManualClock();
    const ahead = await startTestRelay({ clock });
    const untouched = await innocent(ahead);
    const answer = await post(`${ahead.httpUrl}/v1/revocations`, {
      token: await ahead.mint({ sub: 'authority', ops: ['revoke'] }, 'ops'),
      type: 'application/json',
      body: JSON.stringify({ sub: 'eve', before: nowSeconds() + 600 }),
    });
    expect(answer.status).toBe(200);
    clock.advance(60_000);
    const client = await ahead.open();
    client.send([1, 1, await ahead.mint({ sub: 'eve', iat: nowSeconds() + 30, exp: nowSeconds() + 900 })]);
    expect(await client.next(() => true)).toEqual(error(403, 'token_revoked'));
    await untouched.feltNothing();
  });
});

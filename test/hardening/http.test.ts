import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { type Innocents, innocent, jsonOf, type PostOptions, post, refusal } from './support.ts';

const MAX_FRAME_BYTES = 4096;
const AROUND = 25; // bytes of a MESSAGE around a body of 256 to 65,535 without envelope
const ORIGIN = 'https://app.example';

describe('an HTTP request', () => {
  let relay: TestRelay;
  let token: string;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay({ limits: { maxFrameBytes: MAX_FRAME_BYTES }, cors: { origins: [ORIGIN] } });
    token = await relay.mint({ can: { 'open.>': 'rw', 'read.>': 'r' } });
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  const publish = (channel: string, options: PostOptions = {}) =>
    post(`${relay.httpUrl}/v1/channels/${channel}/messages`, { token, ...options });

  it.each<readonly [string, string, PostOptions, number, string]>([
    ['another content type', 'open.a', { type: 'text/plain' }, 415, 'unsupported_media_type'],
    [
      'a content type that starts alike',
      'open.a',
      { type: 'application/octet-streams' },
      415,
      'unsupported_media_type',
    ],
    ['JSON', 'open.a', { type: 'application/json' }, 415, 'unsupported_media_type'],
    ['no content type', 'open.a', { type: null }, 415, 'unsupported_media_type'],
    ['no token', 'open.a', { token: undefined }, 401, 'token_missing'],
    ['a bad token', 'open.a', { token: 'garbage' }, 403, 'token_invalid'],
    ['a channel that is not granted', 'elsewhere', {}, 403, 'forbidden'],
    ['a channel that is granted for reading', 'read.a', {}, 403, 'forbidden'],
    ['a reserved channel', '%24audit', {}, 400, 'bad_channel'],
    ['a pattern', 'open.*', {}, 400, 'bad_channel'],
    ['garbage behind a percent sign', 'open.%gg', {}, 400, 'bad_channel'],
    ['bytes that are not UTF-8', 'open.%ff', {}, 400, 'bad_channel'],
    [
      'a body one byte too large',
      'open.a',
      { body: new Uint8Array(MAX_FRAME_BYTES - AROUND + 1) },
      413,
      'frame_too_large',
    ],
    ['a body far too large', 'open.a', { body: new Uint8Array(100_000) }, 413, 'frame_too_large'],
    [
      'an envelope that leaves no room',
      'open.a',
      { headers: { 'mayfly-envelope': 'A'.repeat(3000) }, body: new Uint8Array(2000) },
      413,
      'frame_too_large',
    ],
    ['an envelope that is not base64url', 'open.a', { headers: { 'mayfly-envelope': '***' } }, 400, 'bad_envelope'],
    ['an envelope in base64', 'open.a', { headers: { 'mayfly-envelope': '+/+/' } }, 400, 'bad_envelope'],
    ['an envelope with padding', 'open.a', { headers: { 'mayfly-envelope': 'YQ==' } }, 400, 'bad_envelope'],
    [
      'an envelope of a length that nothing has',
      'open.a',
      { headers: { 'mayfly-envelope': 'YWJjZ' } },
      400,
      'bad_envelope',
    ],
    ['an envelope with bits left over', 'open.a', { headers: { 'mayfly-envelope': 'YR' } }, 400, 'bad_envelope'],
    ['an envelope with a space', 'open.a', { headers: { 'mayfly-envelope': 'YW Jj' } }, 400, 'bad_envelope'],
  ])('to publish is refused for %s', async (_name, channel, options, status, code) => {
    const reader = await relay.connect();
    await reader.attach('>', 1);
    const answer = await publish(channel, options);
    expect(answer.status).toBe(status);
    expect(jsonOf(answer)).toEqual(refusal(status, code));
    expect(answer.headers['www-authenticate']).toBe(status === 401 ? 'Bearer' : undefined);
    for (const part of token.split('.')) expect(answer.text).not.toContain(part);
    await reader.flush();
    expect(reader.messages().filter((frame) => frame[1] !== others.channelId)).toEqual([]);
    reader.terminate();
  });

  it.each<readonly [string, string]>([
    ['POST', '/v1/channels/open.a/messages'],
    ['POST', '/v1/revocations'],
    ['GET', '/'],
  ])('with a query string is refused and not repeated: %s %s', async (method, path) => {
    const answer = await post(`${relay.httpUrl}${path}?access_token=${token}`, {
      method,
      type: path === '/v1/revocations' ? 'application/json' : 'application/octet-stream',
      token: await relay.mint({ ops: ['revoke'] }, 'ops'),
      body: '{"jti":"nobody"}',
    });
    expect(answer.text).not.toContain(token);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toEqual(refusal(400, 'token_in_url'));
  });

  it('publishes with number, sender 0 and envelope, and tells how many got it', async () => {
    const readers = [await relay.connect(), await relay.connect()];
    const ids = [];
    for (const reader of readers) ids.push((await reader.attach('open.b', 1)).channelId);
    const headers = { 'mayfly-envelope': Buffer.from('envelope?>').toString('base64url') };
    const first = await publish('open.b', { headers, body: new Uint8Array([0, 255, 1]) });
    expect([first.status, jsonOf(first)]).toEqual([202, { seq: 1, subscribers: 2 }]);
    expect(jsonOf(await publish('open%2Eb', { body: '' }))).toEqual({ seq: 2, subscribers: 2 });
    const largest = new Uint8Array(MAX_FRAME_BYTES - AROUND);
    expect(jsonOf(await publish('open.b', { body: largest }))).toEqual({ seq: 3, subscribers: 2 });
    const envelope = new Uint8Array(Buffer.from('envelope?>'));
    for (const reader of readers) {
      await reader.until(() => reader.messages().length === 3, 'all three');
      expect(reader.messages()).toEqual([
        [4, ids[0], 1, 0, envelope, new Uint8Array([0, 255, 1])],
        [4, ids[0], 2, 0, null, new Uint8Array()],
        [4, ids[0], 3, 0, null, largest],
      ]);
    }
  });

  it('to a channel that is not alive reaches nobody and brings nothing to life', async () => {
    for (let i = 0; i < 3; i++) expect(jsonOf(await publish('open.dead'))).toEqual({ seq: 0, subscribers: 0 });
    const late = await relay.connect();
    expect((await late.attach('open.dead', 1)).seq).toBe(0);
  });

  it('to a channel that only a pattern reaches brings it to life, named ahead of its frame', async () => {
    const reader = await relay.connect();
    await reader.attach('open.fresh.*', 1);
    expect(jsonOf(await publish('open.fresh.a', { body: 'x' }))).toEqual({ seq: 1, subscribers: 1 });
    const [, channelId] = await reader.nextOf(27);
    await reader.nextOf(4);
    expect(reader.frames.slice(2)).toEqual([
      [27, channelId, 'open.fresh.a', 0],
      [4, channelId, 1, 0, null, new Uint8Array([0x78])],
    ]);
    expect(jsonOf(await publish('open.fresh.a'))).toEqual({ seq: 2, subscribers: 1 });
  });

  it('is open to scripts of the configured origins only, answers of errors included', async () => {
    const path = `${relay.httpUrl}/v1/channels/open.a/messages`;
    for (const options of [{ token }, { token: 'garbage' }, { method: 'OPTIONS' }]) {
      const allowed = await post(path, { ...options, headers: { origin: ORIGIN } });
      expect(allowed.headers['access-control-allow-origin']).toBe(ORIGIN);
      expect(allowed.headers.vary).toMatch(/origin/i);
      for (const origin of [
        'https://evil.example',
        'null',
        `${ORIGIN}.evil.example`,
        `${ORIGIN}:444`,
        'http://app.example',
        '*',
      ]) {
        const refused = await post(path, { ...options, headers: { origin } });
        expect(refused.headers['access-control-allow-origin']).toBeUndefined();
        expect(refused.headers['access-control-allow-credentials']).toBeUndefined();
      }
    }
  });
});

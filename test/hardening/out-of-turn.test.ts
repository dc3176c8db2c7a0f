import { encode } from '@msgpack/msgpack';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Frame, message, TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { error, expectAlive, expectEnd, type Innocents, innocent, ManualClock } from './support.ts';

const HELLO_TIMEOUT_MS = 400;
const STEP_MS = 50;
const PROTOCOL_ERROR = error(400, 'protocol_error');

describe('a frame out of turn', () => {
  let relay: TestRelay;
  let token: string;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    token = await relay.mint();
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  it.each<readonly [string, (token: string) => Frame | Uint8Array]>([
    ['PING', () => [6, 1]],
    ['ATTACH', () => [2, 1, 'room', 1]],
    ['DETACH', () => [3, 1, 1]],
    ['RENEW with a good token', (good) => [5, 1, good]],
    ['MESSAGE', () => message(others.channelId, 'x')],
    ['WELCOME', () => [16, 1, {}]],
    ['an unknown type', () => [99, 1]],
    ['garbage', () => Buffer.from('c1ff', 'hex')],
  ])('closes when it comes before HELLO: %s', async (_name, make) => {
    const abuser = await relay.open();
    abuser.send(make(token));
    await expectEnd(abuser, 4500, [PROTOCOL_ERROR]);
  });

  it.each<readonly [string, (token: string) => (Frame | Uint8Array)[]]>([
    [
      'PING behind it',
      (good) => [
        [1, 1, good],
        [6, 1],
      ],
    ],
    [
      'ATTACH behind it',
      (good) => [
        [1, 1, good],
        [2, 1, 'room', 1],
      ],
    ],
    [
      'another HELLO behind it',
      (good) => [
        [1, 1, good],
        [1, 1, good],
      ],
    ],
    ['a byte behind it', (good) => [[1, 1, good], Buffer.from('00', 'hex')]],
    [
      'PING ahead of it',
      (good) => [
        [6, 1],
        [1, 1, good],
      ],
    ],
  ])('closes when HELLO is not alone in its message: %s', async (_name, frames) => {
    const abuser = await relay.open();
    abuser.send(...frames(token));
    await expectEnd(abuser, 4500, [PROTOCOL_ERROR]);
  });

  it.each<readonly [string, (token: string) => Frame]>([
    ['an element missing', () => [1, 1]],
    ['an element too many', (good) => [1, 1, good, 1]],
    ['a version that is a string', (good) => [1, '1', good]],
    ['a version that is a float', (good) => [1, 1.5, good]],
    ['a negative version', (good) => [1, -1, good]],
    ['a token that is a bin', (good) => [1, 1, Buffer.from(good)]],
    ['a token that is a number', () => [1, 1, 1]],
    ['a token that is a map', () => [1, 1, { token: 'x' }]],
  ])('closes on a HELLO that cannot be read: %s', async (_name, frame) => {
    const abuser = await relay.open();
    abuser.send(frame(token));
    await expectEnd(abuser, 4500, [PROTOCOL_ERROR]);
  });

  it.each([0, 2, 255, 2 ** 32, Number.MAX_SAFE_INTEGER])('closes with 4501 on version %d', async (version) => {
    for (const offered of [token, null, 'garbage']) {
      const abuser = await relay.open();
      abuser.send([1, version, offered]);
      await expectEnd(abuser, 4501, [error(400, 'unsupported_version')]);
    }
  });

  it('closes on a second HELLO', async () => {
    const abuser = await relay.connect();
    abuser.send([6, 1], [1, 1, token]);
    await expectEnd(abuser, 4500, [[20, 1], PROTOCOL_ERROR], 1);
  });

  it.each<readonly [string, Frame]>([
    ['PING', [6, 1]],
    ['ATTACH', [2, 1, 'early', 1]],
    ['HELLO', [1, 1, null]],
  ])('closes when it comes between HELLO and WELCOME: %s', async (_name, frame) => {
    const abuser = await relay.open();
    abuser.send([1, 1, await relay.mint({ jti: crypto.randomUUID() })]); // not seen before: it takes a while to check
    abuser.send(frame); // both wait in the socket before the relay reads the first
    await expectEnd(abuser, 4500, [PROTOCOL_ERROR]);
  });

  it('closes on HELLO after a bearer token was taken at the upgrade', async () => {
    const abuser = await TestClient.open(relay.url, { headers: { authorization: `Bearer ${token}` } });
    const welcome = await abuser.welcome();
    expect(welcome).toEqual([16, expect.any(Number), expect.objectContaining({ boot: expect.any(String) })]);
    await expectAlive(abuser);
    abuser.send([1, 1, token]);
    await expectEnd(abuser, 4500, [PROTOCOL_ERROR], 2);
  });

  it('closes when HELLO follows the upgrade with a bearer token at once', async () => {
    const abuser = await TestClient.open(relay.url, { headers: { authorization: `Bearer ${token}` } });
    abuser.send([1, 1, token], [6, 1]);
    await expectEnd(abuser, 4500, [[16, expect.any(Number), expect.any(Object)], PROTOCOL_ERROR]);
  });
});

describe('a connection that does not say HELLO in time', () => {
  let relay: TestRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay({ limits: { helloTimeoutMs: HELLO_TIMEOUT_MS } });
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  it('is closed with 4004 and no frame, not early, and not late', async () => {
    const clock = new ManualClock();
    const timed = await startTestRelay({ limits: { helloTimeoutMs: HELLO_TIMEOUT_MS }, clock });
    const silent = await timed.open();
    const isOpen = () => silent.socket.readyState === silent.socket.OPEN;
    let goneMs = 0;
    for (; isOpen(); goneMs += STEP_MS) {
      expect(goneMs).toBeLessThan(HELLO_TIMEOUT_MS * 1.5);
      clock.advance(STEP_MS);
      await clock.looks();
    }
    expect(goneMs).toBeGreaterThanOrEqual(HELLO_TIMEOUT_MS);
    await expectEnd(silent, 4004, []);
  });

  it('is closed though it pings at the level of WebSocket, and though it sends half a message', async () => {
    const [pinging, fragmenting] = [await relay.open(), await relay.open()];
    const timer = setInterval(() => pinging.socket.ping(), 50);
    fragmenting.socket.send(encode([1, 1, 'x']).subarray(0, 2), { fin: false });
    await expectEnd(pinging, 4004, []);
    clearInterval(timer);
    await expectEnd(fragmenting, 4004, []);
  });

  it('is closed without the welcomed ones, however many they are', async () => {
    const welcomed = await Promise.all(Array.from({ length: 20 }, () => relay.connect()));
    const silent = await Promise.all(Array.from({ length: 20 }, () => relay.open()));
    for (const client of silent) await expectEnd(client, 4004, []);
    for (const client of welcomed) await expectAlive(client);
  });
});

import { encode } from '@msgpack/msgpack';
import { afterEach, describe, expect, it } from 'vitest';
import { message, TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay, type TestRelayOptions } from '../support/relay.ts';
import { error, expectAlive, expectEnd, innocent, jsonOf, ManualClock, post, refusal } from './support.ts';

const MAX_FRAME_BYTES = 20_000;
const MAX_MESSAGE_BYTES = 80_000; // four times that
const MESSAGE_BYTES = 24; // around a body over 255 bytes

describe('a flood', () => {
  afterEach(stopRelays);

  async function start(options: TestRelayOptions, tenant = 'acme') {
    const clock = new ManualClock();
    const relay = await startTestRelay({ clock, ...options });
    return { clock, relay, others: await innocent(relay, { iss: tenant }) };
  }

  /** A connection that has sent no frame: its token went with the upgrade. */
  async function connectSilently(relay: TestRelay): Promise<TestClient> {
    const client = await TestClient.open(relay.url, { headers: { authorization: `Bearer ${await relay.mint()}` } });
    await client.welcome();
    return client;
  }

  const pings = (from: number, count: number) => Array.from({ length: count }, (_, i) => [6, from + i] as const);

  it('over framesPerSecond is refused frame by frame behind the burst, then closed with 4003', async () => {
    const { clock, relay, others } = await start({ limits: { framesPerSecond: 50 } });
    const abuser = await connectSilently(relay);
    abuser.send(...pings(1, 100));
    abuser.send(...pings(101, 99));
    await abuser.until(() => abuser.frames.length === 200, 'every answer');
    expect(abuser.frames.slice(1)).toEqual([
      ...Array.from({ length: 100 }, (_, i) => [20, 1 + i]),
      ...Array.from({ length: 99 }, (_, i) => error(429, 'too_fast', 101 + i)),
    ]);
    clock.advance(4000);
    abuser.send(...pings(201, 90));
    await abuser.until(() => abuser.frames.at(-1)?.[1] === 290, 'the answers after a rest');
    expect(abuser.frames.slice(200)).toEqual(Array.from({ length: 90 }, (_, i) => [20, 201 + i]));
    const before = abuser.frames.length;
    abuser.send(...pings(301, 500));
    await expectEnd(abuser, 4003, expect.any(Array));
    const after = abuser.frames.slice(before);
    expect(after.filter(([type]) => type === 20).length).toBeLessThanOrEqual(12);
    const refused = after.filter(([type]) => type === 21).length;
    expect(refused).toBeGreaterThanOrEqual(98);
    expect(refused).toBeLessThanOrEqual(103);
    await others.feltNothing();
  });

  it('of any type of frame is counted the same', async () => {
    const { relay, others } = await start({ limits: { framesPerSecond: 20 } });
    const abuser = await connectSilently(relay);
    abuser.send(...Array.from({ length: 40 }, (_, i) => [3, i, 1] as const));
    abuser.send([2, 50, others.channel, 1], [3, 51, 1], [5, 52, 'garbage'], [6, 53], message(others.channelId, 'x'));
    await abuser.until(() => abuser.frames.length === 46, 'every answer');
    expect(abuser.frames.slice(41)).toEqual([
      ...[50, 51, 52, 53].map((ref) => error(429, 'too_fast', ref)),
      error(429, 'too_fast', null, others.channelId),
    ]);
    await others.feltNothing();
  });

  it('over bytesPerSecond is refused likewise, and what was refused takes no number', async () => {
    const { clock, relay, others } = await start({ limits: { bytesPerSecond: 4096 } });
    const [abuser, witness] = [await connectSilently(relay), await relay.connect({ sub: 'witness' })];
    const { channelId } = await witness.attach('big', 1);
    await abuser.attach('big', 2);
    for (let i = 0; i < 4; i++) abuser.send(message(channelId, Buffer.alloc(3000, i)));
    await abuser.until(() => abuser.frames.filter(([type]) => type === 21).length === 2, 'two refusals');
    expect(abuser.frames.slice(2)).toEqual(Array(2).fill(error(429, 'too_fast', null, channelId)));
    clock.advance(5000);
    abuser.send(message(channelId, 'small'));
    await witness.until(() => witness.messages().length === 3, 'what was accepted');
    expect(witness.messages().map((frame) => frame[2])).toEqual([1, 2, 3]);
    for (let i = 0; i < 10; i++) abuser.send(message(channelId, Buffer.alloc(3000, i)));
    await expectEnd(abuser, 4003, expect.arrayContaining([error(429, 'too_fast', null, channelId)]));
    await others.feltNothing();
  });

  it('over the tenant’s framesPerSecond is refused for all of the tenant, over HTTP too, and for no other tenant', async () => {
    const { clock, relay, others } = await start({ tenantLimits: { framesPerSecond: 20 } }, 'globex');
    const [abuser, colleague] = [await relay.connect(), await relay.connect({ sub: 'bob' })];
    const { channelId } = await colleague.attach('busy', 1 | 2);
    await abuser.attach('busy', 2);
    abuser.send(...Array.from({ length: 45 }, (_, i) => message(channelId, String(i))));
    await expectAlive(abuser);
    expect(abuser.frames.filter(([type]) => type === 21)).toEqual(
      Array(5).fill(error(429, 'tenant_too_fast', null, channelId)),
    );
    colleague.send(message(channelId, 'me too'));
    expect(await colleague.nextOf(21)).toEqual(error(429, 'tenant_too_fast', null, channelId));
    const answer = await post(`${relay.httpUrl}/v1/channels/busy/messages`, { token: await relay.mint() });
    expect(answer.status).toBe(429);
    expect(jsonOf(answer)).toEqual(refusal(429, 'tenant_too_fast'));
    await others.feltNothing();
    clock.advance(2000);
    colleague.send(message(channelId, 'later'));
    await abuser.flush();
    await colleague.flush();
    expect(colleague.frames.filter(([type]) => type === 21)).toHaveLength(1);
  });

  it('of one member does not shut a tenant out for longer than it takes to fill its burst again', async () => {
    const { clock, relay, others } = await start({ tenantLimits: { framesPerSecond: 20 } }, 'globex');
    const [abuser, colleague] = [await relay.connect(), await relay.connect({ sub: 'bob' })];
    const { channelId } = await colleague.attach('busy', 1 | 2);
    await abuser.attach('busy', 2);
    abuser.send(...Array.from({ length: 2000 }, () => message(channelId, 'x')));
    await expectAlive(abuser);
    clock.advance(10_000);
    colleague.send(message(channelId, 'later'));
    await colleague.flush();
    expect(colleague.frames.filter(([type]) => type === 21)).toEqual([]);
    await others.feltNothing();
  });

  it('of one large MESSAGE is refused with 413, takes no number, and the connection goes on', async () => {
    const { relay, others } = await start({ limits: { maxFrameBytes: MAX_FRAME_BYTES } });
    const [abuser, witness] = [await relay.connect(), await relay.connect()];
    const { channelId } = await witness.attach('large', 1);
    await abuser.attach('large', 2);
    for (const size of [1, 1000, 50_000]) {
      abuser.send(message(channelId, Buffer.alloc(MAX_FRAME_BYTES - MESSAGE_BYTES - 1 + size)));
      expect(await abuser.nextOf(21)).toEqual(error(413, 'frame_too_large', null, channelId));
    }
    const envelope = Buffer.alloc(10_000);
    abuser.send(message(channelId, Buffer.alloc(10_000), envelope));
    expect(await abuser.nextOf(21)).toEqual(error(413, 'frame_too_large', null, channelId));
    abuser.send(message(channelId, Buffer.alloc(MAX_FRAME_BYTES - MESSAGE_BYTES - 1)));
    expect((await witness.nextOf(4))[2]).toBe(1);
    await expectAlive(abuser);
    await others.feltNothing();
  });

  it('of one WebSocket message over maxMessageBytes is cut with 1006, and one of just that size is not', async () => {
    const { relay, others } = await start({ limits: { maxFrameBytes: MAX_FRAME_BYTES } });
    const [abuser, early] = [await relay.connect(), await relay.open()];
    const filling = message(1, Buffer.alloc(MAX_FRAME_BYTES - MESSAGE_BYTES - 1));
    expect(filling).toHaveLength(MAX_FRAME_BYTES);
    abuser.send(filling, filling, filling, filling);
    for (let i = 0; i < 4; i++) expect((await abuser.nextOf(21))[2]).toBe(404);
    const before = abuser.frames.length;
    abuser.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0xc1));
    early.send(Buffer.alloc(MAX_MESSAGE_BYTES + 1, 0xc1));
    for (const client of [abuser, early]) expect((await client.closed).code).toBe(1006);
    expect(abuser.frames.slice(before)).toEqual([]);
    await others.feltNothing();
  });

  it('of fragments that never end is cut at maxMessageBytes', async () => {
    const { relay, others } = await start({ limits: { maxFrameBytes: MAX_FRAME_BYTES } });
    const abuser = await relay.connect();
    for (let i = 0; i < 20; i++) abuser.socket.send(Buffer.alloc(8000), { fin: false });
    expect((await abuser.closed).code).toBe(1006);
    await others.feltNothing();
  });

  it.each<readonly [string, readonly unknown[], number]>([
    ['PING', [6, 1], 262_144],
    ['DETACH of nothing', [3, 1, 1], 131_072],
    ['ATTACH of a bad name', [2, 1, '', 1], 131_072],
  ])(
    'of small frames that fill one message is answered without holding up the others: %s',
    async (_name, frame, bytes) => {
      const relay = await startTestRelay({ limits: { framesPerSecond: 1e6 } });
      const others = await innocent(relay, { iss: 'globex' });
      const abuser = await relay.connect();
      const one = Buffer.from(encode(frame));
      const count = Math.floor(bytes / one.length);
      abuser.send(Buffer.alloc(count * one.length, one));
      let exchanges = 0;
      for (; abuser.frames.length <= count; exchanges++) await others.feltNothing();
      expect(exchanges).toBeGreaterThan(6); // served in one go, it lets three or four through
      abuser.terminate();
    },
  );
});

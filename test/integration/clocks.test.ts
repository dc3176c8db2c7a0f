import { afterEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../hardening/support.ts';
import { message, type TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

const BODY = Buffer.alloc(60_000, 7);
const FRAMES = 300; // 18 MB: more than loopback's socket buffers hold
const LIMITS = {
  maxBufferedBytes: 67_108_864,
  bytesPerSecond: 1e9,
  framesPerSecond: 1000,
  helloTimeoutMs: 3000,
  slowConsumerTimeoutMs: 3000,
};

async function metric(relay: TestRelay, name: string): Promise<number> {
  return Number(new RegExp(`^${name} (.*)$`, 'm').exec(await relay.metrics())?.[1]);
}

/** A connection without HELLO, and a reader for whom bytes wait. */
async function start(
  clock: ManualClock,
): Promise<{ relay: TestRelay; mute: TestClient; reader: TestClient; publisher: TestClient; channelId: number }> {
  const relay = await startTestRelay({ limits: LIMITS, clock });
  const life = { exp: Math.floor(Date.now() / 1000) + 2 * 3600 };
  const [publisher, reader, mute] = [await relay.connect(life), await relay.connect(life), await relay.open()];
  const { channelId } = await publisher.attach('busy', 2);
  await reader.attach('busy', 1);
  reader.pause();
  for (let i = 0; i < FRAMES; i++) {
    publisher.send(message(channelId, BODY));
    if (i % 20 === 19) await publisher.flush();
  }
  return { relay, mute, reader, publisher, channelId };
}

describe('a clock that is set', () => {
  afterEach(stopRelays);

  it.each([15_000, -15_000, 3_600_000, -3_600_000])(
    'by %i ms cuts no reader, ends no wait for HELLO, empties no bucket and ends no channel',
    async (stepMs) => {
      const clock = new ManualClock();
      const { relay, mute, reader, publisher, channelId } = await start(clock);
      const watcher = await relay.connect({ exp: Math.floor(Date.now() / 1000) + 2 * 3600 });
      await watcher.attach('quiet.*', 1);
      const once = await relay.connect({ exp: Math.floor(Date.now() / 1000) + 2 * 3600 });
      await once.attach('quiet.a', 2);
      const named = await watcher.nextOf(27);
      once.terminate();
      clock.set(stepMs);
      await clock.looks();
      publisher.send(message(channelId, 'after'));
      await publisher.flush();
      expect(publisher.frames.filter(([type]) => type === 21)).toEqual([]);
      reader.resume();
      await reader.until(() => reader.messages().length === FRAMES + 1, 'every frame and the one after the step');
      expect(watcher.frames.filter(([type]) => type === 18)).toEqual([]);
      expect(named[2]).toBe('quiet.a');
      const iat = Math.floor(clock.nowMs() / 1000);
      await mute.hello(await relay.mint({ iat, exp: iat + 60 }));
      expect(await metric(relay, 'mayfly_cut_connections_total')).toBe(0);
    },
  );

  it('decides over tokens alone: one that has expired by it is closed with 4001', async () => {
    const clock = new ManualClock();
    const relay = await startTestRelay({ clock });
    const exp = Math.floor(Date.now() / 1000) + 600;
    const [short, long] = [await relay.connect({ exp }), await relay.connect({ exp: exp + 7200 })];
    clock.set(3_600_000);
    expect(await short.closed).toMatchObject({ code: 4001 });
    await long.flush();
  });
});

describe('a relay that stood still', () => {
  afterEach(stopRelays);

  it('for longer than every deadline cuts no reader and ends no wait for HELLO', async () => {
    const clock = new ManualClock();
    const { relay, mute, reader } = await start(clock);
    for (let i = 0; i < 3; i++) {
      clock.advance(15_000);
      await clock.looks();
    }
    reader.resume();
    await reader.until(() => reader.messages().length === FRAMES, 'every frame');
    await mute.hello(await relay.mint());
    expect(await metric(relay, 'mayfly_cut_connections_total')).toBe(0);
  });
});

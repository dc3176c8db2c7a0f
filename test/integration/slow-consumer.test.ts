import { afterEach, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { tally } from '../support/loss.ts';
import { startTestRelay, stopRelays } from '../support/relay.ts';

const BODY = Buffer.alloc(60_000, 7);
const FRAMES = 600; // 36 MB: more than loopback's socket buffers and maxBufferedBytes hold
const BYTES_PER_SECOND = 1e9;

describe('a slow consumer', () => {
  afterEach(stopRelays);

  it('loses frames, learns the exact count by HEAD, and goes on, while others lose nothing', async () => {
    const relay = await startTestRelay({ limits: { bytesPerSecond: BYTES_PER_SECOND } });
    const [publisher, slow, quick] = [await relay.connect(), await relay.connect(), await relay.connect()];
    const { channelId } = await publisher.attach('busy', 2);
    await slow.attach('busy', 1 | 2);
    await quick.attach('busy', 1);
    slow.send(message(channelId, 'own, before'));
    await slow.flush();
    slow.pause();
    for (let i = 0; i < FRAMES; i++) {
      publisher.send(message(channelId, BODY));
      if (i % 20 === 19) await publisher.flush();
    }
    await quick.until(() => quick.messages().length === FRAMES + 1, 'every frame at the quick one');
    slow.resume();
    await slow.nextOf(22);
    await slow.flush();
    const counted = tally(slow, channelId);
    expect(counted.lost).toBeGreaterThan(0);
    expect(counted.isOrdered).toBe(true);
    expect(counted.others + counted.lost).toBe(FRAMES);
    expect(tally(quick, channelId)).toEqual({ others: FRAMES + 1, lost: 0, missing: 0, isOrdered: true });
    publisher.send(message(channelId, 'afterwards'));
    await slow.until(() => slow.bodies().at(-1) === 'afterwards', 'the next frame');
    expect(await relay.metrics()).toMatch(/^mayfly_slow_consumers_total [1-9]/m);
  });

  it('is cut when a byte has waited for slowConsumerTimeoutMs', async () => {
    const relay = await startTestRelay({ limits: { slowConsumerTimeoutMs: 1000, bytesPerSecond: BYTES_PER_SECOND } });
    const [publisher, stalled] = [await relay.connect(), await relay.connect()];
    const { channelId } = await publisher.attach('busy', 2 | 4);
    await stalled.attach('busy', 1);
    stalled.pause();
    for (let i = 0; i < FRAMES; i++) {
      publisher.send(message(channelId, BODY));
      if (i % 20 === 19) await publisher.flush();
    }
    const left = await publisher.nextOf(23);
    expect(left).toEqual([23, channelId, stalled.sender]);
    expect(await relay.metrics()).toMatch(/^mayfly_cut_connections_total 1$/m);
    stalled.resume();
    expect((await stalled.closed).code).toBe(1006);
  });

  it('is cut at once when it has no room for a reply', async () => {
    const relay = await startTestRelay({ limits: { maxBufferedBytes: 262_144, bytesPerSecond: BYTES_PER_SECOND } });
    const [publisher, stalled] = [await relay.connect(), await relay.connect()];
    const { channelId } = await publisher.attach('busy', 2 | 4);
    await stalled.attach('busy', 1);
    stalled.pause();
    for (let i = 0; i < FRAMES; i++) {
      publisher.send(message(channelId, BODY));
      if (i % 20 === 19) await publisher.flush();
    }
    stalled.send([6, 1]);
    expect(await publisher.nextOf(23)).toEqual([23, channelId, stalled.sender]);
  });
});

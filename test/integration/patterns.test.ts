import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { tally } from '../support/loss.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describe('a pattern', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startTestRelay();
  });
  afterAll(stopRelays);

  it('announces live channels and later ones ahead of their first frame', async () => {
    const [watcher, publisher] = [await relay.connect(), await relay.connect()];
    const before = await publisher.attach('team.a.news', 2);
    publisher.send(message(before.channelId, 'missed'));
    await publisher.flush();
    const pattern = await watcher.attach('team.*.news', 1);
    expect(await watcher.nextOf(27)).toEqual([27, before.channelId, 'team.a.news', 1]);
    expect(pattern).toMatchObject({ seq: 0, occupancy: 0 });
    const later = await publisher.attach('team.b.news', 2);
    await publisher.attach('team.b.sports', 2);
    publisher.send(message(before.channelId, 'first'), message(later.channelId, 'second'));
    await watcher.until(() => watcher.messages().length === 2, 'both frames');
    expect(watcher.bodies()).toEqual(['first', 'second']);
    const order = watcher.frames.map(([type, id]) => [type, id]);
    expect(order).toEqual([
      [16, watcher.sender],
      [17, 1],
      [27, before.channelId],
      [27, later.channelId],
      [4, before.channelId],
      [4, later.channelId],
    ]);
  });

  it('gives one copy of a frame, however many attachments cover it', async () => {
    const [watcher, publisher] = [await relay.connect(), await relay.connect()];
    await watcher.attach('copy.>', 1);
    await watcher.attach('copy.*', 1);
    const { channelId } = await publisher.attach('copy.a', 2);
    await watcher.attach('copy.a', 1);
    publisher.send(message(channelId, 'once'));
    await publisher.flush();
    await watcher.flush();
    expect(watcher.bodies(channelId)).toEqual(['once']);
  });

  it('still reaches a channel after the attachment by name is gone, and the count goes on', async () => {
    const [watcher, publisher] = [await relay.connect(), await relay.connect()];
    await watcher.attach('stay.>', 1);
    const { channelId } = await publisher.attach('stay.a', 2);
    await watcher.attach('stay.a', 1);
    publisher.send(message(channelId, 'one'));
    await watcher.nextOf(4);
    expect((await watcher.request(3, channelId)).slice(2)).toEqual([channelId, 200, 'detached']);
    publisher.send(message(channelId, 'two'));
    expect((await watcher.nextOf(4))[2]).toBe(2);
    expect(tally(watcher, channelId)).toMatchObject({ missing: 0, isOrdered: true });
  });

  it('reaches nothing after its DETACH, nor a channel of another tenant', async () => {
    const [watcher, publisher] = [await relay.connect(), await relay.connect()];
    const stranger = await relay.connect({ iss: 'globex' });
    await stranger.attach('gone.>', 1);
    const pattern = await watcher.attach('gone.>', 1);
    const { channelId } = await publisher.attach('gone.a', 2);
    await watcher.nextOf(27);
    expect((await watcher.request(3, pattern.channelId)).slice(2)).toEqual([pattern.channelId, 200, 'detached']);
    publisher.send(message(channelId, 'nobody hears'));
    await publisher.flush();
    await watcher.flush();
    await stranger.flush();
    expect(watcher.messages()).toEqual([]);
    expect(stranger.frames.map(([type]) => type)).toEqual([16, 17, 20]);
  });

  it('tells a connection of more channels than it has room for at once, ahead of the answer to what it sent next', async () => {
    const crowded = await startTestRelay({
      limits: { maxFrameBytes: 256, maxBufferedBytes: 98_304, framesPerSecond: 50_000, maxAttachments: 2000 },
    });
    const [publisher, watcher] = [await crowded.connect(), await crowded.connect()];
    const names = Array.from({ length: 2000 }, (_, i) => `crowd.${'x'.repeat(80)}.${i}`);
    for (const [i, name] of names.entries()) publisher.send([2, i, name, 2]);
    await publisher.flush();
    watcher.pause();
    watcher.send([2, 1, 'crowd.>', 1], [6, 2]);
    await publisher.flush();
    watcher.resume();
    await watcher.until(() => watcher.frames.at(-1)?.[0] === 20, 'the PONG');
    expect(watcher.frames.map(([type]) => type)).toEqual([16, 17, ...names.map(() => 27), 20]);
    expect(watcher.frames.slice(2, -1).map(([, , name]) => name)).toEqual(names);
  });

  it('is refused when no one grant covers it or a denial overlaps it', async () => {
    const watcher = await relay.connect({ can: { 'a.*': 'r', 'b.>': 'r' }, not: { 'b.secret.x': 'r' } });
    expect((await watcher.request(2, 'a.>', 1)).slice(2, 4)).toEqual([403, 'forbidden']);
    expect((await watcher.request(2, 'b.>', 1)).slice(2, 4)).toEqual([403, 'forbidden']);
    expect((await watcher.request(2, 'a.*', 1))[0]).toBe(17);
    expect((await watcher.request(2, 'b.public.*', 1))[0]).toBe(17);
  });
});

describe('a channel that only patterns reach', () => {
  afterAll(stopRelays);

  it('ends after a minute without frames, and comes back under another id', async () => {
    let skewMs = 0;
    const relay = await startTestRelay({ clock: { nowMs: Date.now, monotonicMs: () => performance.now() + skewMs } });
    const [watcher, publisher] = [await relay.connect({}), await relay.connect({})];
    await watcher.attach('idle.>', 1);
    const { channelId } = await publisher.attach('idle.a', 2);
    await watcher.nextOf(27);
    publisher.terminate();
    await expect.poll(() => relay.metrics()).toMatch(/^mayfly_connections 1$/m);
    skewMs = 61_000;
    expect(await watcher.nextOf(18)).toEqual([18, null, channelId, 200, 'channel_ended']);
    const again = await (await relay.connect({})).attach('idle.a', 2);
    expect(again.channelId).not.toBe(channelId);
    expect(await watcher.nextOf(27)).toEqual([27, again.channelId, 'idle.a', 0]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describe('presence', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startTestRelay();
  });
  afterAll(stopRelays);

  it('tells who left by random id alone, after the frames of the one who left', async () => {
    const [watcher, member] = [await relay.connect(), await relay.connect()];
    const { channelId } = await watcher.attach('lobby', 1 | 4);
    await member.attach('lobby', 2);
    member.send(message(channelId, 'bye'), [3, 9, channelId]);
    await watcher.nextOf(23);
    const relevant = watcher.frames.filter(([type]) => type === 4 || type === 23);
    expect(relevant.map(([type]) => type)).toEqual([4, 23]);
    expect(relevant[1]).toEqual([23, channelId, member.sender]);
  });

  it('notices a connection that breaks', async () => {
    const [watcher, member] = [await relay.connect(), await relay.connect()];
    const { channelId } = await watcher.attach('broken', 4);
    await member.attach('broken', 1);
    member.terminate();
    expect(await watcher.nextOf(23)).toEqual([23, channelId, member.sender]);
  });

  it('counts connections by name and through patterns', async () => {
    const [watcher, tap, member] = [await relay.connect(), await relay.connect(), await relay.connect()];
    const { channelId, occupancy } = await watcher.attach('counted', 4);
    expect(occupancy).toBe(1);
    await tap.attach('*', 1);
    await watcher.next((frame) => frame[0] === 24 && frame[2] === 2);
    await member.attach('counted', 1);
    expect(await watcher.next((frame) => frame[0] === 24 && frame[2] === 3)).toEqual([24, channelId, 3]);
    tap.terminate();
    member.terminate();
    await watcher.next((frame) => frame[0] === 24 && frame[2] === 1);
  });

  it('is coalesced: a hundred joins do not make a hundred notices', async () => {
    const watcher = await relay.connect();
    await watcher.attach('crowd', 4);
    const crowd = await Promise.all(Array.from({ length: 100 }, () => relay.connect()));
    await Promise.all(crowd.map((member) => member.attach('crowd', 1)));
    await watcher.next((frame) => frame[0] === 24 && frame[2] === 101);
    expect(watcher.frames.filter(([type]) => type === 24).length).toBeLessThan(50);
  });

  it('is not told to those who did not ask, and needs its letter', async () => {
    const [member, watcher] = [await relay.connect(), await relay.connect({ can: { '>': 'rw' } })];
    await member.attach('quiet', 1);
    expect((await watcher.request(2, 'quiet', 1 | 4)).slice(2, 4)).toEqual([403, 'forbidden']);
    await watcher.attach('quiet', 1);
    watcher.terminate();
    await watcher.closed;
    await (await relay.connect()).attach('quiet', 4);
    await member.flush();
    expect(member.frames.map(([type]) => type)).toEqual([16, 17, 20]);
  });
});

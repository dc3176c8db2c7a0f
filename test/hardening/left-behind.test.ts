import { afterEach, describe, expect, it } from 'vitest';
import { startTestRelay, stopRelays } from '../support/relay.ts';
import { error, expectEnd, innocent, jsonOf, post } from './support.ts';

const MANY = 300;

describe('one user of a tenant', () => {
  afterEach(stopRelays);

  it('cannot keep colleagues from new channels by leaving channels behind that patterns keep', async () => {
    const relay = await startTestRelay({ tenantLimits: { channels: 200, channelsPerUser: 50 } });
    const others = await innocent(relay, { iss: 'globex' });
    const [abuser, watcher] = [await relay.connect({ sub: 'mallory' }), await relay.connect({ sub: 'watcher' })];
    const colleague = await relay.connect({ sub: 'bob' });
    await abuser.attach('room.>', 1);
    await watcher.attach('room.>', 1);
    for (let i = 0; i < MANY; i++) {
      const { channelId } = await abuser.attach(`room.${i}`, 1);
      abuser.send([3, i, channelId]);
    }
    await abuser.flush();
    for (let i = 0; i < 50; i++) await colleague.attach(`room.new.${i}`, 2);
    await watcher.flush();
    const [named, ended] = [27, 18].map((type) => watcher.frames.filter((frame) => frame[0] === type).length);
    expect([named, ended]).toEqual([MANY + 50, MANY - 50]);
    expect(watcher.frames.filter(([type]) => type === 18).every((frame) => frame[4] === 'channel_ended')).toBe(true);
    expect(await relay.metrics()).toMatch(/^mayfly_channels 101$/m); // with the innocents' one
    await others.feltNothing();
  });

  it('loses what it left behind when the tenant is full, the oldest first, until only channels by name are left', async () => {
    const relay = await startTestRelay({ tenantLimits: { channels: 4 } });
    const others = await innocent(relay, { iss: 'globex' });
    const watcher = await relay.connect({ sub: 'watcher' });
    await watcher.attach('>', 1);
    const abuser = await relay.connect({ sub: 'mallory' });
    const left: number[] = [];
    for (const name of ['old.1', 'old.2']) left.push((await abuser.attach(name, 1)).channelId);
    for (const id of left) await abuser.request(3, id);
    const colleague = await relay.connect({ sub: 'bob' });
    for (const name of ['new.1', 'new.2', 'new.3']) await colleague.attach(name, 2);
    const gone = (id: number | undefined) => [18, null, id, 200, 'channel_ended'];
    const ended = () => watcher.frames.filter(([type]) => type === 18);
    await watcher.flush();
    expect(ended()).toEqual([gone(left[0])]);
    await colleague.attach('new.4', 2);
    await watcher.flush();
    expect(ended()).toEqual([gone(left[0]), gone(left[1])]);
    expect((await colleague.request(2, 'new.5', 2)).slice(2, 4)).toEqual([429, 'too_many_channels']);
    await others.feltNothing();
  });

  it('is refused channels over the limit that are attached by name, and colleagues are not', async () => {
    const relay = await startTestRelay({ tenantLimits: { channelsPerUser: 5 } });
    const abuser = [await relay.connect({ sub: 'mallory' }), await relay.connect({ sub: 'mallory' })] as const;
    for (let i = 0; i < 5; i++) await abuser[i % 2 === 0 ? 0 : 1].attach(`mine.${i}`, 2);
    for (const client of abuser)
      expect((await client.request(2, 'mine.more', 2)).slice(2, 4)).toEqual([429, 'too_many_channels']);
    await abuser[1].attach('mine.0', 2);
    const colleague = await relay.connect({ sub: 'bob' });
    await colleague.attach('mine.more', 2);
    await abuser[0].attach('mine.more', 2);
  });

  it('who publishes over HTTP is charged for the channels that come to life, and the one left behind first ends', async () => {
    const relay = await startTestRelay({ tenantLimits: { channelsPerUser: 2 } });
    const watcher = await relay.connect({ sub: 'watcher' });
    await watcher.attach('>', 1);
    const token = await relay.mint({ sub: 'server' });
    for (const name of ['a', 'b', 'c']) {
      const answer = await post(`${relay.httpUrl}/v1/channels/${name}/messages`, { token });
      expect(jsonOf(answer)).toEqual({ seq: 1, subscribers: 1 });
    }
    await watcher.flush();
    const ids = watcher.frames.filter(([type]) => type === 27).map(([, id]) => id);
    expect(watcher.frames.filter(([type]) => type === 18)).toEqual([[18, null, ids[0], 200, 'channel_ended']]);
  });

  it('over connectionsPerUser is told to come back, with other devices too, and colleagues get in', async () => {
    const relay = await startTestRelay({ tenantLimits: { connectionsPerUser: 2 } });
    const others = await innocent(relay, { iss: 'globex' });
    const first = await relay.connect({ sub: 'mallory', dev: 'a' });
    await relay.connect({ sub: 'mallory', dev: 'b' });
    const third = await relay.open();
    third.send([1, 1, await relay.mint({ sub: 'mallory', dev: 'c' })]);
    await expectEnd(third, 4005, [error(429, 'too_many_user_connections')]);
    await relay.connect({ sub: 'bob' });
    expect(await relay.metrics()).toMatch(/^mayfly_refusals_total{status="429"} 1$/m);
    first.socket.close();
    await first.closed;
    await expect.poll(() => relay.metrics()).toMatch(/^mayfly_connections 4$/m);
    await relay.connect({ sub: 'mallory', dev: 'c' });
    await others.feltNothing();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describe('a first message', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startTestRelay();
  });
  afterAll(stopRelays);

  it('reaches a subscriber with the number and the sender stamped', async () => {
    const alice = await relay.connect({ sub: 'alice' });
    const bob = await relay.connect({ sub: 'bob' });
    const { channelId, seq } = await bob.attach('room.42', 1);
    expect(seq).toBe(0);
    const attached = await alice.attach('room.42', 2);
    expect(attached).toEqual({ channelId, seq: 0, occupancy: 2 });
    alice.send(message(channelId, 'hello'));
    expect(await bob.nextOf(4)).toEqual([4, channelId, 1, alice.sender, null, new Uint8Array(Buffer.from('hello'))]);
  });

  it('comes back to its sender only with echo', async () => {
    const echoing = await relay.connect();
    const silent = await relay.connect();
    const { channelId } = await echoing.attach('echo', 1 | 2 | 8);
    await silent.attach('echo', 1 | 2);
    echoing.send(message(channelId, 'mine'));
    await echoing.flush();
    expect(echoing.bodies()).toEqual(['mine']);
    silent.send(message(channelId, 'other'));
    await silent.flush();
    expect(silent.messages().filter((frame) => frame[3] !== silent.sender)).toHaveLength(1);
  });
});

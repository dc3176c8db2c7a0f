import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describe('the frames of one WebSocket message', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startTestRelay();
  });
  afterAll(stopRelays);

  it('take effect, and are answered, in the order they were sent', async () => {
    const other = await relay.connect();
    const { channelId } = await other.attach('order', 1);
    for (let i = 0; i < 20; i++) {
      const client = await relay.connect();
      client.send(
        [2, 1, 'order', 1 | 2 | 8],
        message(channelId, 'a'),
        [6, 2],
        message(channelId, 'b'),
        [3, 3, channelId],
        [6, 4],
      );
      await client.next((frame) => frame[0] === 20 && frame[1] === 4, 'the last PONG');
      expect(client.frames.slice(1).map(([type]) => type)).toEqual([17, 4, 20, 4, 18, 20]);
    }
  });

  it('name a channel after the pattern that reaches it, and before its own answer', async () => {
    const client = await relay.connect();
    client.send([2, 1, 'fresh.*', 1], [2, 2, 'fresh.a', 2], [6, 3]);
    await client.nextOf(20);
    expect(client.frames.slice(1).map(([type, ref]) => (type === 27 ? 'NAMED' : ref))).toEqual([1, 'NAMED', 2, 3]);
  });
});

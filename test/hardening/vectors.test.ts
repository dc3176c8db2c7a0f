import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { readVectors } from '../support/vectors.ts';

describe('each invalid message of the vectors', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startTestRelay();
  });
  afterAll(stopRelays);

  it.each(readVectors().invalid)('is answered by ERROR 400 and close 4500: $reason ($hex)', async ({ hex }) => {
    const [sender, witness] = [await relay.connect(), await relay.connect()];
    const { channelId } = await witness.attach('witness', 1 | 2 | 8);
    sender.send(Buffer.from(hex, 'hex'));
    const refused = await sender.next((frame) => frame[0] === 21 && frame[2] === 400);
    expect(refused).toEqual([21, null, 400, 'protocol_error', expect.any(String), null]);
    expect((await sender.closed).code).toBe(4500);
    witness.send(message(channelId, 'unmoved'));
    await witness.flush();
    expect(witness.bodies(channelId).at(-1)).toBe('unmoved');
    witness.terminate();
  });
});

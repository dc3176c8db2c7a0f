import { afterEach, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays } from '../support/relay.ts';
import { innocent } from './support.ts';

const BODY = Buffer.alloc(60_000, 7);
const FRAMES = 600; // 36 MB: more than loopback's socket buffers hold

describe('readers that stand still', () => {
  afterEach(stopRelays);

  it('are cut when more waits for them than their tenant may have, while its other readers and other tenants feel nothing', async () => {
    const relay = await startTestRelay({
      limits: { bytesPerSecond: 1e9 },
      tenantLimits: { backlogBytes: 1_500_000 },
    });
    const others = await innocent(relay, { iss: 'globex' });
    const [publisher, reader] = [await relay.connect(), await relay.connect()];
    const stalled = [await relay.connect(), await relay.connect(), await relay.connect()];
    const { channelId } = await publisher.attach('busy', 2);
    for (const client of [reader, ...stalled]) await client.attach('busy', 1);
    for (const client of stalled) client.pause();
    for (let i = 0; i < FRAMES; i++) {
      publisher.send(message(channelId, BODY));
      if (i % 20 === 19) await publisher.flush();
    }
    await reader.until(() => reader.messages().length === FRAMES, 'every frame at the one that reads');
    await expect.poll(() => relay.metrics()).toMatch(/^mayfly_cut_connections_total [23]$/m);
    expect(Number(/^mayfly_backlog_bytes (\d+)$/m.exec(await relay.metrics())?.[1])).toBeLessThan(1_500_000);
    await relay.connect();
    await others.feltNothing();
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkplace, serve, type Workplace } from '../support/cli.ts';
import { message, TestClient } from '../support/client.ts';

const BODY = Buffer.alloc(60_000, 7);
const FRAMES = 300; // 18 MB: more than loopback's socket buffers hold
const LIMITS = {
  maxBufferedBytes: 67_108_864,
  bytesPerSecond: 1e9,
  helloTimeoutMs: 1000,
  slowConsumerTimeoutMs: 1000,
  drainTimeoutMs: 0,
};
const STANDSTILL_MS = 2500;

describe('a relay process that is stopped for longer than its deadlines, and goes on', () => {
  let workplace: Workplace;
  beforeAll(async () => {
    workplace = await makeWorkplace(() => ({ limits: LIMITS }));
  });
  afterAll(() => workplace.remove());

  it('hears what came meanwhile first: a reader with bytes waiting gets them all, a HELLO is answered', async () => {
    const relay = await serve(workplace);
    const token = await workplace.token('--sub', 'a', '--can', '>=rwp');
    const connect = async (): Promise<TestClient> => {
      const client = await TestClient.open(relay.url);
      await client.hello(token);
      return client;
    };
    const [publisher, reader, mute] = [await connect(), await connect(), await TestClient.open(relay.url)];
    const { channelId } = await publisher.attach('busy', 2);
    await reader.attach('busy', 1);
    reader.pause();
    for (let i = 0; i < FRAMES; i++) {
      publisher.send(message(channelId, BODY));
      if (i % 20 === 19) await publisher.flush();
    }
    relay.program.child.kill('SIGSTOP');
    reader.resume();
    mute.send([1, 1, token]);
    const goOnMs = performance.now() + STANDSTILL_MS;
    await expect.poll(() => performance.now() > goOnMs, { timeout: 2 * STANDSTILL_MS }).toBe(true);
    relay.program.child.kill('SIGCONT');
    await mute.welcome();
    await reader.until(() => reader.messages().length === FRAMES, 'every frame');
    expect(await (await fetch(`${relay.admin}/metrics`)).text()).toMatch(/^mayfly_cut_connections_total 0$/m);
    for (const client of [publisher, reader, mute]) client.terminate();
    await relay.program.stop();
  });
});

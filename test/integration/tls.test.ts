import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, TestClient } from '../support/client.ts';
import { tally } from '../support/loss.ts';
import { describeWith, makeCertificate } from '../support/programs.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describeWith(['openssl'], 'over TLS', () => {
  let folder: string;
  let relay: TestRelay;
  let ca: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    const tls = makeCertificate(folder, 'cert');
    ca = await readFile(tls.certFile, 'utf8');
    relay = await startTestRelay({ listen: { tls }, limits: { framesPerSecond: 1e6, bytesPerSecond: 1e9 } });
  });
  afterAll(async () => {
    await stopRelays();
    await rm(folder, { recursive: true });
  });

  async function connect(): Promise<TestClient> {
    const client = await TestClient.open(relay.url, { ca });
    await client.hello(await relay.mint());
    return client;
  }

  it.each([200, 4000, 30_000, 60_000])(
    'a publisher that sends as fast as it can, %i bytes a frame, is not cut, and its subscriber is told of every loss',
    async (size) => {
      const [publisher, subscriber] = [await connect(), await connect()];
      const { channelId } = await publisher.attach(`fast.${size}`, 1 | 2);
      await subscriber.attach(`fast.${size}`, 1);
      const frames = Math.min(20_000, Math.floor(36_000_000 / size));
      const body = Buffer.alloc(size, 1);
      for (let i = 0; i < frames; i++) publisher.send(message(channelId, body));
      await publisher.flush();
      await subscriber.until(() => {
        const { others, lost } = tally(subscriber, channelId);
        return others + lost === frames;
      }, 'every frame, or its loss');
      expect(tally(subscriber, channelId).isOrdered).toBe(true);
      publisher.terminate();
      subscriber.terminate();
    },
  );

  it('what a client sent before it closed is still delivered', async () => {
    const subscriber = await connect();
    const { channelId } = await subscriber.attach('last.words', 1 | 4);
    for (let i = 0; i < 20; i++) {
      const publisher = await connect();
      await publisher.attach('last.words', 2);
      publisher.send(message(channelId, `bye ${i}`));
      publisher.socket.close(1000);
      await subscriber.until(() => subscriber.bodies().at(-1) === `bye ${i}`, 'the last words');
    }
  });
});

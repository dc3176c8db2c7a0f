import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { message, TestClient } from '../support/client.ts';
import { describeWith, makeCertificate } from '../support/programs.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { innocent, ManualClock, post } from './support.ts';

const BODY = Buffer.alloc(60_000, 7);
const FRAMES = 300; // 18 MB: more than loopback's socket buffers hold, and less than may wait
const FORGERY_MS = 60; // below the rate at which unasked pongs are a flood
const PING_MS = 100;
const TIMEOUT_MS = 1000;

/** A reader that stands still and says that it has read everything, with every answer it can think of. */
class Forger {
  readonly client: TestClient;
  readonly #known: Buffer[] = [];
  #timer: NodeJS.Timeout | undefined;
  #startedMs = 0;
  #count = 0;

  constructor(client: TestClient) {
    this.client = client;
    client.socket.on('ping', (payload) => this.#known.push(payload));
  }

  standStill(): void {
    this.client.pause();
    this.#startedMs = performance.now();
    this.#timer = setInterval(() => this.#forge(), FORGERY_MS);
  }

  /** Reads again: finds out that the connection is gone. */
  async end(): Promise<number> {
    clearInterval(this.#timer);
    this.client.resume();
    return (await this.client.closed).code;
  }

  /** One after the other: the number that the latest ping could have by now, in the lengths it could have, and every answer it knows. */
  #forge(): void {
    const guesses = [4, 8, 16].map((length) => {
      const payload = Buffer.alloc(length);
      payload.writeUInt32BE(Math.floor((performance.now() - this.#startedMs) / PING_MS));
      return payload;
    });
    const known = [...guesses, ...this.#known];
    this.client.socket.pong(known[this.#count++ % known.length], undefined, () => {});
  }
}

describeWith(['openssl'], 'a reader that stands still and forges pongs', () => {
  let folder: string;
  let listen: Readonly<Record<string, unknown>>;
  let ca: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    const tls = makeCertificate(folder, 'cert');
    listen = { tls };
    ca = await readFile(tls.certFile, 'utf8');
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  async function start(isTls: boolean, limits: Readonly<Record<string, number>>, clock?: ManualClock) {
    const relay = await startTestRelay({
      limits: { maxBufferedBytes: 67_108_864, bytesPerSecond: 1e9, ...limits },
      ...(isTls ? { listen } : {}),
      ...(clock === undefined ? {} : { clock }),
    });
    const connect = async (claims: Readonly<Record<string, unknown>> = {}): Promise<TestClient> => {
      const client = await TestClient.open(relay.url, isTls ? { ca } : {});
      await client.hello(await relay.mint(claims));
      return client;
    };
    const publisher = await connect();
    const silent = await connect({ sub: 'silent' });
    const forger = new Forger(await connect({ sub: 'forger' }));
    const others = await innocent({ connect });
    const { channelId } = await publisher.attach('busy', 2 | 4);
    await forger.client.attach('busy', 1);
    await silent.attach('busy', 1);
    silent.pause();
    forger.standStill();
    for (let i = 0; i < FRAMES; i++) {
      publisher.send(message(channelId, BODY));
      if (i % 20 === 19) await publisher.flush();
    }
    return { relay, publisher, forger, silent, channelId, others };
  }

  function postOverTls(url: string, token: string, body: string): Promise<number | undefined> {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    return new Promise((resolve, reject) => {
      const asking = request(url, { method: 'POST', ca, headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asking.on('error', reject);
      asking.end(body);
    });
  }

  async function finish(publisher: TestClient): Promise<void> {
    publisher.terminate();
    await stopRelays();
  }

  const cuts = async (relay: TestRelay): Promise<string> =>
    /^mayfly_cut_connections_total (.*)$/m.exec(await relay.metrics())?.[1] ?? '';

  it.each([false, true])('is cut with all that waits for it, as one that says nothing is (TLS: %s)', async (isTls) => {
    const clock = new ManualClock();
    const limits = { slowConsumerTimeoutMs: TIMEOUT_MS, framesPerSecond: 1000 };
    const { relay, publisher, forger, silent, channelId, others } = await start(isTls, limits, clock);
    const time = setInterval(() => clock.advance(20), 20);
    const gone = async (): Promise<[unknown, number]> => [await publisher.nextOf(23), clock.monotonicMs()];
    const [[first, firstMs], [second, secondMs]] = [await gone(), await gone()];
    clearInterval(time);
    expect(new Set([first, second])).toEqual(
      new Set([forger.client, silent].map(({ sender }) => [23, channelId, sender])),
    );
    expect(secondMs - firstMs).toBeLessThan(TIMEOUT_MS / 2); // of a clock that goes as the test says
    expect(await cuts(relay)).toBe('2');
    expect(await forger.end()).toBe(1006);
    silent.terminate();
    await others.feltNothing();
    await finish(publisher);
  });

  it.each([false, true])(
    'is not counted once it is revoked, and is gone in two seconds whatever slowConsumerTimeoutMs says (TLS: %s)',
    async (isTls) => {
      const { relay, publisher, forger, silent, others } = await start(isTls, { slowConsumerTimeoutMs: 3_600_000 });
      const token = await relay.mint({ sub: 'ops', can: {}, ops: ['revoke'] }, 'ops');
      const body = JSON.stringify({ sub: 'forger' });
      const url = `${relay.httpUrl}/v1/revocations`;
      if (isTls) expect(await postOverTls(url, token, body)).toBe(200);
      else expect((await post(url, { token, type: 'application/json', body })).status).toBe(200);
      const metrics = await relay.metrics();
      expect(metrics).toMatch(/^mayfly_connections 4$/m);
      expect(metrics).toMatch(/^mayfly_closes_total\{code="4002"\} 1$/m);
      await expect.poll(() => cuts(relay)).toBe('1');
      expect(await forger.end()).toBe(1006);
      silent.terminate();
      await others.feltNothing();
      await finish(publisher);
    },
  );
});

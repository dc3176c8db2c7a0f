import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Program } from '../support/cli.ts';
import { TestClient } from '../support/client.ts';
import { describeWith } from '../support/programs.ts';
import { startTestRelay, stopRelays } from '../support/relay.ts';

afterEach(stopRelays);

describe('a connection whose client says nothing', () => {
  it('hears a WebSocket ping every pingIntervalMs, as WELCOME told', async () => {
    const relay = await startTestRelay({ limits: { pingIntervalMs: 200 } });
    const client = await relay.open();
    let pings = 0;
    client.socket.on('ping', () => pings++);
    const [, , info] = await client.hello(await relay.mint());
    expect(info).toMatchObject({ limits: { pingIntervalMs: 200 } });
    await expect.poll(() => pings).toBeGreaterThanOrEqual(3);
  });

  it('hears pings before HELLO too', async () => {
    const relay = await startTestRelay({ limits: { pingIntervalMs: 200 } });
    const client = await relay.open();
    let pings = 0;
    client.socket.on('ping', () => pings++);
    await expect.poll(() => pings).toBeGreaterThanOrEqual(2);
  });
});

describeWith(['haproxy'], 'a connection behind haproxy whose client says nothing', () => {
  async function freePort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  async function throughProxy(pingIntervalMs: number): Promise<{ open: TestClient; end(): Promise<void> }> {
    const relay = await startTestRelay({ limits: { pingIntervalMs } });
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    const port = await freePort();
    await writeFile(
      join(folder, 'haproxy.cfg'),
      [
        'defaults',
        '  mode http',
        '  timeout connect 1s',
        '  timeout client 1s',
        '  timeout server 1s',
        'listen front',
        `  bind 127.0.0.1:${port}`,
        `  server relay ${new URL(relay.url).host}`,
        '',
      ].join('\n'),
    );
    const proxy = new Program('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')]);
    const dial = (): Promise<TestClient> => TestClient.open(`ws://127.0.0.1:${port}/v1/ws`);
    let open: TestClient | undefined;
    await expect.poll(async () => (open = await dial().catch(() => undefined)), { timeout: 10_000 }).toBeDefined();
    if (open === undefined) throw new Error('no connection through the proxy');
    await open.hello(await relay.mint());
    return {
      open,
      async end() {
        open?.terminate();
        await proxy.stop('SIGKILL');
        await rm(folder, { recursive: true });
      },
    };
  }

  it('outlives the time after which the proxy cuts what is quiet', async () => {
    const { open, end } = await throughProxy(250);
    let pings = 0;
    open.socket.on('ping', () => pings++);
    await expect.poll(() => pings, { timeout: 10_000 }).toBeGreaterThanOrEqual(12); // three times the proxy's patience
    await open.flush();
    await end();
  });

  it('is cut by it where the interval is longer, which is what the setting is for', async () => {
    const { open, end } = await throughProxy(60_000);
    await expect(open.closed).resolves.toMatchObject({ code: 1006 });
    await end();
  });
});

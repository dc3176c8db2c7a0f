import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { makeWorkplace, type Program, serve, type Workplace } from '../support/cli.ts';
import { TestClient } from '../support/client.ts';
import { describeWith, makeCertificate } from '../support/programs.ts';
import { type Innocents, innocent } from './support.ts';

const UPGRADE = [
  'GET /v1/ws HTTP/1.1',
  'Host: relay',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Protocol: mayfly.v1',
  '',
  '',
].join('\r\n');
/** A masked close frame with code 1000, and a masked binary message that is no frame. */
const CLOSE_FRAME = Buffer.from('88820000000003e8', 'hex');
const GARBAGE = Buffer.from('82810000000063', 'hex');

/** A relay in a process of its own that may have `descriptors`. */
interface Limited {
  readonly program: Program;
  readonly url: string;
  readonly admin: string;
  readonly others: Innocents;
  /** A newcomer with a token, once it gets in; from an address of its own if it must be. */
  newcomer(localAddress?: string): Promise<TestClient>;
}

const sockets = new Set<Socket>();
const clients = new Set<TestClient>();
let workplace: Workplace | undefined;
let running: Program | undefined;

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const client of clients) client.terminate();
  sockets.clear();
  clients.clear();
  await running?.stop('SIGKILL');
  await workplace?.remove();
  running = undefined;
  workplace = undefined;
});

async function start(
  descriptors: number,
  isTls = false,
  limits: Readonly<Record<string, number>> = {},
): Promise<Limited> {
  workplace = await makeWorkplace((folder) => ({
    limits,
    ...(isTls ? { listen: { port: 0, tls: makeCertificate(folder, 'relay') } } : {}),
  }));
  const limited = ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh'];
  const { program, url, admin } = await serve(workplace, limited);
  running = program;
  const token = await workplace.token('--sub', 'a', '--can', '>=rwp');
  const options = { handshakeTimeout: 1000, rejectUnauthorized: false };
  const dial = async (localAddress = '127.0.0.1'): Promise<TestClient> => {
    const client = await TestClient.open(`${url}/v1/ws`, { ...options, localAddress });
    clients.add(client);
    await client.hello(token);
    return client;
  };
  const newcomer: Limited['newcomer'] = async (localAddress) => {
    let client: TestClient | undefined;
    await expect
      .poll(async () => (client = await dial(localAddress).catch(() => undefined)), { timeout: 8000, interval: 100 })
      .toBeDefined();
    if (client === undefined) throw new Error('unreachable');
    return client;
  };
  return { program, url, admin, others: await innocent({ connect: () => dial() }), newcomer };
}

/** Opens many sockets that say `first` and nothing more, from addresses in turn; `second` is said once something came back. */
async function squat(
  { hostname, port }: URL,
  count: number,
  { first = '', second, from = 1 }: { first?: string; second?: Buffer; from?: number } = {},
): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, (_, i) => {
      const socket = connect({
        host: hostname,
        port: Number(port),
        localAddress: `127.0.0.${1 + (i % from)}`,
        allowHalfOpen: true,
      });
      sockets.add(socket);
      socket.on('error', () => {});
      if (second !== undefined) socket.once('data', () => socket.write(second));
      else socket.resume();
      return new Promise<void>((resolve) => {
        socket.once('connect', () => {
          if (first !== '') socket.write(first);
          resolve();
        });
        socket.once('close', () => resolve());
      });
    }),
  );
}

const descriptorsOf = ({ program }: Limited): number => readdirSync(`/proc/${program.child.pid}/fd`).length;
const complaintsIn = ({ program }: Limited): number => program.stderr.split('short of room for sockets').length - 1;

/** The relay serves those who are in, takes newcomers with tokens, answers on the admin listener, and said so in one line. */
async function expectSound(relay: Limited, limit: number, localAddress?: string): Promise<void> {
  await relay.others.feltNothing();
  const answer = await fetch(`${relay.admin}/livez`, { signal: AbortSignal.timeout(5000) });
  expect(answer.status).toBe(200);
  for (let i = 0; i < 5; i++) await (await relay.newcomer(localAddress)).flush();
  await relay.others.feltNothing();
  expect(descriptorsOf(relay)).toBeLessThan(limit);
  expect(relay.program.child.exitCode).toBeNull();
  expect(complaintsIn(relay)).toBeLessThanOrEqual(1);
}

describe('with few descriptors, the relay holds its ground against', () => {
  it('1,100 connections that send nothing, under a limit of 1,024', async () => {
    const relay = await start(1024);
    await squat(new URL(relay.url), 1100);
    await expectSound(relay, 1024);
    expect(complaintsIn(relay)).toBe(1);
  });

  it('connections that send nothing, again and again, from many addresses', async () => {
    const relay = await start(256);
    for (let i = 0; i < 3; i++) await squat(new URL(relay.url), 300, { from: 60 });
    await expectSound(relay, 256);
    expect(complaintsIn(relay)).toBe(1);
  });

  it('requests that never end', async () => {
    const relay = await start(256);
    await squat(new URL(relay.url), 300, { first: 'GET / HTTP/1.1\r\nHost: relay\r\nX-Slow: ' });
    await expectSound(relay, 256);
  });

  it('WebSockets that never say HELLO', async () => {
    const relay = await start(256);
    await squat(new URL(relay.url), 300, { first: UPGRADE });
    await expectSound(relay, 256);
    await squat(new URL(relay.url), 300, { first: UPGRADE, from: 30 });
    await expectSound(relay, 256);
  });

  it('WebSockets that are closed by the relay and do not close', async () => {
    const relay = await start(256);
    for (let i = 0; i < 6; i++) await squat(new URL(relay.url), 100, { first: UPGRADE, second: GARBAGE, from: 10 });
    await expectSound(relay, 256);
  });

  it('WebSockets that say goodbye and stay', async () => {
    const relay = await start(256);
    for (let i = 0; i < 6; i++) await squat(new URL(relay.url), 100, { first: UPGRADE, second: CLOSE_FRAME, from: 10 });
    await expectSound(relay, 256, '127.0.0.200');
  });

  it('connections to the admin listener that send nothing', async () => {
    const relay = await start(256);
    await squat(new URL(relay.admin), 300);
    await relay.others.feltNothing();
    await (await relay.newcomer()).flush();
    const isLive = (): Promise<boolean> =>
      fetch(`${relay.admin}/livez`, { signal: AbortSignal.timeout(1000) }).then(({ ok }) => ok, () => false); // biome-ignore format: one request
    await expect.poll(isLive, { timeout: 8000 }).toBe(true);
    expect(descriptorsOf(relay)).toBeLessThan(256);
  });
});

describe('what strangers can make the relay hold', () => {
  it('is an eighth of its memory, however many first messages are left unfinished', async () => {
    const MIB = 1024 * 1024;
    const relay = await start(4096, false, { maxMemoryBytes: 512 * MIB });
    const resident = async (): Promise<number> => {
      const [, bytes] = /^mayfly_resident_memory_bytes (\S+)/m.exec(await (await fetch(`${relay.admin}/metrics`)).text()) ?? []; // biome-ignore format: one line
      return Number(bytes);
    };
    const before = await resident();
    const header = Buffer.from('82ff000000000004000000000000', 'hex'); // 262,144 bytes are to come
    await squat(new URL(relay.url), 1500, {
      first: UPGRADE,
      second: Buffer.concat([header, Buffer.alloc(250_000, 1)]),
    });
    const isSent = (): boolean => [...sockets].every((socket) => socket.destroyed || (socket.bytesRead > 0 && socket.writableLength === 0)); // biome-ignore format: one line
    await expect.poll(isSent, { timeout: 8000 }).toBe(true);
    for (let i = 0; i < 3; i++) await (await relay.newcomer()).flush();
    expect((await resident()) - before).toBeLessThan((512 * MIB) / 8 + 48 * MIB); // and what the sockets themselves take
    await relay.others.feltNothing();
  });
});

describeWith(['openssl'], 'with few descriptors and TLS, the relay holds its ground against', () => {
  it('handshakes that never end', async () => {
    const relay = await start(256, true);
    await squat(new URL(relay.url), 300, { first: '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001' });
    await expectSound(relay, 256);
  });

  it('handshakes after which nothing comes', async () => {
    const relay = await start(256, true);
    const { hostname, port } = new URL(relay.url);
    for (let i = 0; i < 200; i++) {
      const socket = connectTls({ host: hostname, port: Number(port), rejectUnauthorized: false });
      sockets.add(socket);
      socket.on('error', () => {});
    }
    await expectSound(relay, 256);
  });
});

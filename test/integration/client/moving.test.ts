import { encode } from '@msgpack/msgpack';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ChannelKey, type ConnectOptions, connect, type Relay, type TokenRequest } from '../../../src/client/node.ts';
import { startTestRelay, stopRelays } from '../../support/relay.ts';
import { agree, type Script, ScriptedRelay, welcome } from '../../support/scripted-relay.ts';
import { listenTo, same, until } from './support.ts';

const key = ChannelKey.random();
const relays: ScriptedRelay[] = [];
const clients: Relay[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const relay of relays.splice(0)) await relay.stop();
  await stopRelays();
});

async function start(script?: Script): Promise<ScriptedRelay> {
  const relay = await ScriptedRelay.start(script);
  relays.push(relay);
  return relay;
}

async function join(relay: { readonly url: string }, options: Partial<ConnectOptions> = {}): Promise<Relay> {
  const client = await connect(relay.url, { token: () => 'token', backoff: { firstMs: 1, maxMs: 5 }, ...options });
  clients.push(client);
  return client;
}

/** What the app is told of a connection, in order. */
function logOf(client: Relay): string[] {
  const log: string[] = [];
  client.on('state', (state) => log.push(state));
  client.on('reconnecting', () => log.push('reconnecting'));
  client.on('reconnected', () => log.push('reconnected'));
  client.on('draining', ({ reconnectInMs }) => log.push(`draining ${reconnectInMs}`));
  client.on('error', ({ code }) => log.push(`error ${code}`));
  return log;
}

describe('a client that the relay sends away', () => {
  it('is welcome elsewhere before it leaves: it is never without a connection, and what was under way arrives', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { key });
    const log = logOf(client);
    const before = relay.latest;
    const publishing = channel.publish('before');
    before.send([26, 10, 'shutdown']);
    await until(() => relay.connections.length).toBe(2);
    expect(before.socket.readyState).toBe(before.socket.OPEN);
    await before.closed;
    await publishing;
    await until(() => log).toEqual(['draining 10', 'reconnected']);
    expect(client.isConnected).toBe(true);
    expect(before.frames.map(([type]) => type)).toEqual([2, 4, 6]);
    await channel.publish('after');
    await client.flush();
    expect(relay.latest.frames.map(([type]) => type)).toEqual([2, 6, 4, 6]);
  });

  it('gets the answers it waits for where it asked', async () => {
    const pings: unknown[] = [];
    const relay = await start({
      frame: (connection, frame) => {
        if (frame[0] === 6 && connection === relay.connections[0]) pings.push(frame[1]);
        else connection.send(agree(frame) ?? [99]);
      },
    });
    const client = await join(relay);
    const before = relay.latest;
    const flushing = client.flush();
    await until(() => pings.length).toBe(1);
    before.send([26, 0, 'shutdown']);
    await until(() => pings.length).toBe(2);
    before.send(...pings.map((ref) => [20, ref]));
    await flushing;
    await before.closed;
  });

  it('tells what it missed in between exactly, and nothing twice', async () => {
    const relay = await startTestRelay();
    const sockets: WebSocket[] = [];
    const socket = (url: string, protocol: string): never => {
      sockets.push(new WebSocket(url, protocol));
      return sockets.at(-1) as never;
    };
    const token = (): Promise<string> => relay.mint();
    const [writer, reader] = [await join(relay, { token }), await join(relay, { token, socket })];
    const writing = await writer.channel('room', { key });
    const reading = await reader.channel('room', { key, modes: 'r' });
    const heard = listenTo(reading);
    let published = 0;
    let isMoving = true;
    const flowing = (async () => {
      while (isMoving) {
        await writing.publish(`${++published}`);
        await writer.flush();
      }
    })();
    const moved = new Promise((resolve) => reader.on('reconnected', resolve));
    await until(() => heard.texts.length).toBeGreaterThan(5);
    sockets[0]?.emit('message', Uint8Array.from(encode([26, 0, 'reload'])).buffer, true);
    await moved;
    const mark = published;
    await until(() => Number(heard.texts.at(-1))).toBeGreaterThan(mark);
    isMoving = false;
    await flowing;
    await until(() => Number(heard.texts.at(-1))).toBe(published);
    const lost = heard.losses.reduce((sum, { count }) => sum + Number(count), 0);
    expect(new Set(heard.texts).size).toBe(heard.texts.length);
    expect(heard.texts.length + lost).toBe(published);
  });

  it('stays as long as it can when nobody takes it elsewhere, and comes back soon after', async () => {
    let isUp = true;
    const relay = await start({
      hello: (connection) => (isUp ? connection.send(welcome()) : connection.socket.close(4005)),
    });
    const client = await join(relay);
    const log = logOf(client);
    const before = relay.latest;
    isUp = false;
    before.send([26, 10, 'shutdown']);
    await until(() => relay.connections.length).toBeGreaterThan(3);
    await client.flush();
    expect(client.state).toBe('connected');
    expect(new Set(log)).toEqual(new Set(['draining 10', 'error overloaded']));
    before.socket.close(4000);
    await until(() => client.state).not.toBe('connected');
    isUp = true;
    await until(() => log.at(-1)).toBe('reconnected');
    expect(log.filter((line) => line === 'reconnecting').length).toBeGreaterThan(0);
  });

  it('asks for a token for that, and says why', async () => {
    const asked: string[] = [];
    const token = ({ reason, code }: TokenRequest): string => {
      asked.push(`${reason} ${code}`);
      return 'token';
    };
    const relay = await start();
    const client = await join(relay, { token });
    const log = logOf(client);
    relay.latest.send([26, 0, 'shutdown']);
    await until(() => log.at(-1)).toBe('reconnected');
    expect(asked).toEqual(['connect undefined', 'reconnect going_away']);
  });

  it('is told once, goes at the earliest time, and is not kept by one who says it again and again', async () => {
    const relay = await start();
    const client = await join(relay);
    const log = logOf(client);
    const before = relay.latest;
    before.send([26, 2 ** 53 - 1, 'x'], [26, 3_000_000, 'x'], [26, 30, 'x'], ...same([26, 2 ** 40, 'x'], 1000));
    const repeating = setInterval(() => before.send([26, 5000, 'x']), 5);
    await until(() => log.at(-1)).toBe('reconnected');
    clearInterval(repeating);
    expect(log).toEqual(['draining 3600000', 'reconnected']);
    expect(relay.connections).toHaveLength(2);
  });

  it('moves ever more slowly when every relay sends it on', async () => {
    const timesMs: number[] = [];
    const relay = await start({
      hello: (connection, count) => {
        timesMs.push(performance.now());
        connection.send(welcome(6 + count), [26, 0, 'go']);
      },
    });
    const client = await join(relay, { backoff: { firstMs: 1, maxMs: 2 ** 31 - 1 } });
    await until(() => timesMs.length).toBeGreaterThan(8);
    expect(client.isConnected).toBe(true);
    expect(Number(timesMs.at(-1)) - Number(timesMs[0])).toBeGreaterThan(8);
  });

  it('asks nobody else for what was asked here: an attachment under way goes on elsewhere', async () => {
    const relay = await start({
      frame: (connection, frame) => {
        const isFirst = connection === relay.connections[0];
        if (!(isFirst && frame[0] === 2)) connection.send(agree(frame) ?? [99]);
      },
    });
    const client = await join(relay);
    const attaching = client.channel('room', { key });
    await until(() => relay.latest.frames.length).toBe(1);
    const before = relay.latest;
    before.send([26, 0, 'shutdown']);
    const channel = await attaching;
    before.send([17, 1, 99, 3, 0, 1]); // late, and of no use
    await channel.publish('x');
    await client.flush();
    expect(relay.latest.frames.find(([type]) => type === 4)?.[1]).not.toBe(99);
  });
});

describe('a client whose relay is gone', () => {
  it('is back soon after a restart: the first wait is short, and spread', async () => {
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      const relay = await start();
      const client = await join(relay, { backoff: {} });
      client.on('reconnecting', ({ inMs }) => waits.push(inMs));
      relay.latest.socket.terminate();
      await until(() => waits.length).toBe(i + 1);
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...waits)).toBeLessThanOrEqual(500);
    expect(new Set(waits).size).toBe(5);
  });
});

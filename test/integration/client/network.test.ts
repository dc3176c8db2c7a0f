import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelKey, type ConnectOptions, connect, type Relay } from '../../../src/client/node.ts';
import { agree, type Script, ScriptedRelay, welcome } from '../../support/scripted-relay.ts';
import { same, until } from './support.ts';

const key = ChannelKey.random();
const relays: ScriptedRelay[] = [];
const clients: Relay[] = [];
let host = new EventTarget();
beforeEach(() => {
  host = new EventTarget();
  for (const name of ['addEventListener', 'removeEventListener'] as const) vi.stubGlobal(name, host[name].bind(host));
});
afterEach(async () => {
  vi.unstubAllGlobals();
  for (const client of clients.splice(0)) await client.close();
  for (const relay of relays.splice(0)) await relay.stop();
});

/** A relay whose connections can go dead: open, and nothing comes through. */
async function start(script: Script = {}): Promise<ScriptedRelay> {
  const relay = await ScriptedRelay.start(script);
  relays.push(relay);
  return relay;
}

async function join(relay: ScriptedRelay, options: Partial<ConnectOptions> = {}): Promise<Relay> {
  const client = await connect(relay.url, { token: () => 'token', backoff: { firstMs: 1, maxMs: 5 }, ...options });
  clients.push(client);
  return client;
}

const sign = (name: string): boolean => host.dispatchEvent(new Event(name));
const back = (client: Relay): Promise<unknown> => new Promise((resolve) => client.on('reconnected', resolve));
const statesOf = (client: Relay): string[] => {
  const states: string[] = [client.state];
  client.on('state', (state) => states.push(state));
  return states;
};

describe('a network that was switched', () => {
  it.each(['online', 'offline', 'pageshow'])(
    'is noticed after %s without waiting for the next keep-alive, and the state says so',
    async (name) => {
      const relay = await start();
      const client = await join(relay, { keepAliveMs: 2 ** 31 - 1 });
      const states = statesOf(client);
      const returned = back(client);
      relay.latest.socket.pause();
      sign(name);
      await returned;
      expect(states).toEqual(['connected', 'checking', 'waiting', 'connecting', 'connected']);
    },
  );

  it('is noticed too where only the app knows of it', async () => {
    const relay = await start();
    const client = await join(relay);
    const states = statesOf(client);
    client.check();
    await until(() => states).toEqual(['connected', 'checking', 'connected']);
    expect(relay.latest.frames).toEqual([[6, 1]]);
  });

  it('costs a connection that still works nothing but a PING', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { key });
    const states = statesOf(client);
    for (let i = 0; i < 20; i++) sign('online');
    await until(() => states).toEqual(['connected', 'checking', 'connected', 'checking', 'connected']);
    await channel.publish('x');
    await client.flush();
    expect(relay.connections).toHaveLength(1);
    expect(relay.latest.frames.filter(([type]) => type === 6)).toHaveLength(3);
  });

  it('swallows no message: what is published meanwhile is kept where there is room, and else refused', async () => {
    const relay = await start();
    const client = await join(relay);
    const strict = await client.channel('strict', { key });
    const patient = await client.channel('patient', { key, maxUnsent: 3 });
    const returned = back(client);
    relay.latest.socket.pause();
    sign('online');
    await until(() => client.state).toBe('checking');
    const refused = strict.publish('now').catch(({ code }: { code: string }) => code);
    const kept = [1, 2, 3].map((n) => patient.publish(`${n}`));
    await returned;
    await client.flush();
    expect(await refused).toBe('not_connected');
    await Promise.all(kept);
    expect(relay.latest.frames.filter(([type]) => type === 4)).toHaveLength(3);
    expect(relay.connections[0]?.frames.filter(([type]) => type === 4)).toHaveLength(0);
  });

  it('holds messages back only until the relay answers, and then sends them', async () => {
    let isMute = false;
    const pings: unknown[] = [];
    const relay = await start({
      frame: (connection, frame) => {
        if (frame[0] === 6 && isMute) pings.push(frame);
        else connection.send(agree(frame) ?? [99]);
      },
    });
    const client = await join(relay);
    const channel = await client.channel('room', { key });
    isMute = true;
    sign('online');
    let isSent = false;
    const publishing = channel.publish('x').then(() => {
      isSent = true;
    });
    await until(() => pings).toHaveLength(1);
    relay.latest.send([23, 5, 1]); // a sign of life, but no answer yet
    expect([isSent, relay.latest.frames.at(-1)?.[0]]).toEqual([false, 6]);
    relay.latest.send([20, (pings[0] as number[])[1]]);
    await publishing;
    await until(() => relay.latest.frames.at(-1)?.[0]).toBe(4);
    expect(client.state).toBe('connected');
  });

  it('ends the wait for the next attempt, but not again and again', async () => {
    let isUp = true;
    const relay = await start({
      hello: (connection) => (isUp ? connection.send(welcome()) : connection.socket.close(4006)),
    });
    const client = await join(relay, { backoff: { firstMs: 1_000_000, maxMs: 1_000_000 } });
    isUp = false;
    relay.latest.socket.terminate();
    await until(() => client.state).toBe('waiting');
    for (let i = 0; i < 100; i++) sign('online');
    await until(() => relay.connections.length).toBe(2);
    await until(() => client.state).toBe('waiting');
    isUp = true;
    await until(() => client.state).toBe('connected');
    expect(relay.connections).toHaveLength(3);
  });

  it('does not try while it may only have become worse', async () => {
    const relay = await start();
    const client = await join(relay, { backoff: { firstMs: 1_000_000, maxMs: 1_000_000 } });
    relay.latest.socket.terminate();
    await until(() => client.state).toBe('waiting');
    sign('offline');
    expect(client.state).toBe('waiting');
    sign('online');
    await until(() => client.state).toBe('connected');
  });

  it('begins an attempt anew that hangs on the old one', async () => {
    let isMute = false;
    const relay = await start({ hello: (connection) => !isMute && connection.send(welcome()) });
    const client = await join(relay, { connectTimeoutMs: 1_000_000 });
    isMute = true;
    relay.latest.socket.terminate();
    await until(() => relay.connections.length).toBe(2);
    isMute = false;
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 2000);
    sign('online');
    await until(() => client.state).toBe('connected');
    vi.restoreAllMocks();
    expect(relay.connections).toHaveLength(3);
  });

  it('is listened for no longer than the connection lasts', async () => {
    const relay = await start();
    const client = await join(relay);
    const removed = vi.fn();
    vi.stubGlobal('removeEventListener', removed);
    await client.close();
    sign('online');
    expect(client.state).toBe('closed');
    expect(removed.mock.calls.map(([name]) => name)).toEqual(expect.arrayContaining(['online', 'offline', 'pageshow']));
    await expect(connect('ws://127.0.0.1:1', { token: 'token' })).rejects.toThrow();
  });
});

describe('a relay that floods', () => {
  it('wakes the app for no answer that nobody asked for, and no more refusals than there was to refuse', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { key });
    const [told, onChannel]: [string[], string[]] = [[], []];
    client.on('error', ({ code }) => told.push(code));
    client.on('renewed', () => told.push('renewed'));
    channel.on('error', ({ code }) => onChannel.push(code));
    await channel.publish('x');
    for (let i = 0; i < 100; i++) {
      relay.latest.send([21, 1000 + i, 403, 'forbidden', 'no', null], [19, 1000 + i, 1], [20, i + 1000], welcome(i));
    }
    relay.latest.send(
      ...same([21, null, 429, 'too_fast', 'no', 5], 100),
      ...same([21, null, 500, 'oh', 'no', null], 100),
    );
    await client.flush();
    expect(told).toEqual([]);
    expect(onChannel.length).toBeGreaterThan(0);
    expect(onChannel.length).toBeLessThanOrEqual(4); // HELLO, ATTACH, the message and the PING
    expect(client.sender).toBe(7);
  });
});

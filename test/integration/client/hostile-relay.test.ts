import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ChannelKey, type ConnectOptions, connect, type Relay } from '../../../src/client/node.ts';
import { CLOSE_CODE } from '../../../src/protocol/codes.ts';
import { message } from '../../support/client.ts';
import { agree, type Script, ScriptedRelay, welcome } from '../../support/scripted-relay.ts';
import { listenTo, same, until } from './support.ts';

/** What the app is told of a connection, in order. */
function logOf(relay: Relay): string[] {
  const log: string[] = [];
  relay.on('reconnecting', ({ code }) => log.push(`reconnecting ${code}`));
  relay.on('reconnected', () => log.push('reconnected'));
  relay.on('draining', () => log.push('draining'));
  relay.on('error', ({ code }) => log.push(`error ${code}`));
  relay.on('closed', ({ error }) => log.push(`closed ${error?.code}`));
  return log;
}

describe('a client of a relay that misbehaves', () => {
  const relays: ScriptedRelay[] = [];
  const clients: Relay[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    for (const relay of relays.splice(0)) await relay.stop();
  });

  async function start(script?: Script): Promise<ScriptedRelay> {
    const relay = await ScriptedRelay.start(script);
    relays.push(relay);
    return relay;
  }

  async function join(relay: ScriptedRelay, options: Partial<ConnectOptions> = {}): Promise<Relay> {
    const client = await connect(relay.url, { token: () => 'token', backoff: { firstMs: 1, maxMs: 5 }, ...options });
    clients.push(client);
    return client;
  }

  const comesBack = ([, code]: [string, number]): boolean => code < 4500;

  it.each(Object.entries(CLOSE_CODE).filter(comesBack))('comes back after close %s (%i)', async (_, code) => {
    const relay = await start();
    const log = logOf(await join(relay));
    relay.latest.socket.close(code);
    await until(() => log).toEqual([`reconnecting ${code}`, 'reconnected']);
  });

  it.each(Object.entries(CLOSE_CODE).filter((entry) => !comesBack(entry)))(
    'stays away after close %s (%i), and says why',
    async (name, code) => {
      const relay = await start();
      const client = await join(relay, { token: 'token' });
      const log = logOf(client);
      const channel = await client.channel('room', { plaintext: true });
      relay.latest.socket.close(code);
      for await (const _ of channel);
      expect(log).toEqual([`closed ${name}`]);
      expect(relay.connections).toHaveLength(1);
      for await (const _ of channel); // a loop begun later ends as well
      await expect(channel.publish('x')).rejects.toMatchObject({ code: 'closed' });
      await expect(client.channel('other', { plaintext: true })).rejects.toMatchObject({ code: 'closed' });
    },
  );

  it.each([
    ['token_expired', 4001],
    ['token_revoked', 4002],
  ])('stays away after %s when its token is only a string', async (name, code) => {
    const relay = await start();
    const log = logOf(await join(relay, { token: 'token' }));
    relay.latest.socket.close(code);
    await until(() => log).toEqual([`closed ${name}`]);
  });

  it.each([
    ['cut short', Buffer.from('9604ce', 'hex')],
    ['that is no array', Buffer.from('c0', 'hex')],
    ['with an element of the wrong kind', Buffer.from('9414a161c0c0', 'hex')],
    ['of text', 'hello'],
    ['that claims four gigabytes', Buffer.from('9604ce00000005cf0000000000000001ce00000001c0c6ffffffff', 'hex')],
  ])('takes a message %s for a broken connection, says so, and comes back', async (_, bytes) => {
    const relay = await start();
    const client = await join(relay);
    const log = logOf(client);
    const heard = listenTo(await client.channel('room', { plaintext: true }));
    relay.latest.socket.send(bytes);
    await until(() => log).toEqual(['reconnecting 1006', 'reconnected']);
    relay.latest.send(message(5, 'after').fill(1, 15, 16).fill(9, 20, 21));
    await until(() => heard.texts).toEqual(['after']);
  });

  it('ignores frames of types it does not know, ids it does not know, and answers nobody asked for', async () => {
    const relay = await start();
    const client = await join(relay);
    const log = logOf(client);
    const heard = listenTo(await client.channel('room', { plaintext: true }));
    relay.latest.send([99, 'later'], [22, 4, 10, 0], [23, 4, 1], [24, 4, 9], [27, 8, 'room.x', 3], [20, 77]);
    relay.latest.send([17, 78, 9, 1, 0, 1], [18, null, 44, 200, 'channel_ended'], message(44, 'strange'));
    await client.flush();
    expect([log, heard.texts, heard.losses]).toEqual([[], [], []]);
  });

  it('gives up a relay that accepts the connection and says nothing, and one that never says WELCOME', async () => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const relay = await start({ hello: () => {} });
    for (const url of [`ws://127.0.0.1:${port}`, relay.url]) {
      const connecting = connect(url, { token: 'token', connectTimeoutMs: 50 });
      await expect(connecting).rejects.toMatchObject({ code: 'connection_failed' });
    }
    silent.close();
  });

  it('can be told to stop connecting, by a signal', async () => {
    const relay = await start({ hello: () => {} });
    const stop = new AbortController();
    const connecting = connect(relay.url, { token: 'token', signal: stop.signal });
    await until(() => relay.connections.length).toBe(1);
    stop.abort('enough');
    await expect(connecting).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    await relay.latest.closed;
  });

  it('notices that a connection has gone silent, and comes back', async () => {
    const relay = await start({ frame: () => {} });
    const log = logOf(await join(relay, { keepAliveMs: 100 }));
    await until(() => log[0]).toBe('reconnecting 1006');
    expect(relay.connections[0]?.frames).toEqual([[6, 1]]);
  });

  it('keeps a quiet connection whose relay answers', async () => {
    const relay = await start();
    const log = logOf(await join(relay, { keepAliveMs: 100 }));
    await until(() => relay.latest.frames.length).toBeGreaterThan(4);
    expect([log, relay.connections.length]).toEqual([[], 1]);
  });

  it('comes back at the time of GOAWAY, not before, also when the close comes early', async () => {
    const relay = await start();
    const client = await join(relay, { backoff: { firstMs: 1, maxMs: 1 } });
    const log = logOf(client);
    setTimeout(() => log.push('the time'), 300); // earlier than the client's, which begins as it hears GOAWAY
    relay.latest.send([26, 300, 'shutdown']);
    await until(() => log).toEqual(['draining']);
    relay.latest.socket.close(4000);
    await until(() => log).toEqual(['draining', 'reconnecting 4000', 'the time', 'reconnected']);
  });

  it('heeds no GOAWAY that comes after it was closed', async () => {
    const relay = await start();
    const client = await join(relay);
    const connection = relay.latest;
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const closing = client.close();
    connection.send([26, 86_400_000, 'shutdown']);
    await closing;
    await connection.closed;
    const waits = timers.mock.calls.map(([, ms]) => ms);
    timers.mockRestore();
    expect(waits).not.toContain(86_400_000);
  });

  it('moves away at the time of GOAWAY by itself when the relay does not close', async () => {
    const relay = await start();
    const log = logOf(await join(relay));
    relay.latest.send([26, 30, 'shutdown']);
    await until(() => log).toEqual(['draining', 'reconnected']);
    expect(relay.connections).toHaveLength(2);
  });

  it('waits longer each time when a relay welcomes it and hangs up at once', async () => {
    const relay = await start({
      hello: (connection, count) => {
        connection.send(welcome());
        if (count > 1 && count < 9) connection.socket.close(4006);
      },
    });
    const client = await join(relay, { backoff: { firstMs: 4, maxMs: 1000 } });
    const ceilings: number[] = [];
    client.on('reconnecting', ({ inMs }) => ceilings.push(inMs));
    relay.latest.socket.close(4006);
    await until(() => relay.connections.length).toBe(9);
    expect(ceilings).toHaveLength(8);
    for (const [attempt, inMs] of ceilings.entries()) expect(inMs).toBeLessThanOrEqual(4 * 2 ** attempt);
    expect(Math.max(...ceilings)).toBeGreaterThan(4);
  });

  it('goes on after its token function failed, and says so each time', async () => {
    let calls = 0;
    const token = (): string => {
      if (++calls === 2 || calls === 3) throw new Error('the token server is down');
      return 'token';
    };
    const relay = await start();
    const client = await join(relay, { token });
    const log = logOf(client);
    const causes: unknown[] = [];
    client.on('error', ({ cause }) => causes.push((cause as Error).message));
    relay.latest.socket.terminate();
    const away = 'reconnecting 1006';
    await until(() => log).toEqual([away, 'error token_failed', away, 'error token_failed', away, 'reconnected']);
    expect(causes).toEqual(same('the token server is down', 2));
  });

  it('renews again and again until it works, within the time that EXPIRING gave', async () => {
    let refusals = 2;
    const relay = await start({
      frame: (connection, frame) => {
        const isRefused = frame[0] === 5 && refusals-- > 0;
        const answer = isRefused ? [21, frame[1], 403, 'token_invalid', 'no', null] : agree(frame);
        if (answer !== undefined) connection.send(answer);
      },
    });
    const client = await join(relay);
    const log = logOf(client);
    const renewed: number[] = [];
    client.on('renewed', ({ expiry }) => renewed.push(expiry));
    relay.latest.send([25, 10_000]);
    await until(() => renewed).toEqual([4_000_000_000]);
    expect(log).toEqual(['error token_invalid', 'error token_invalid']);
  });

  it('makes one RENEW of several renewals at a time', async () => {
    const relay = await start();
    const client = await join(relay);
    await Promise.all([client.renew(), client.renew(), client.renew()]);
    expect(relay.latest.frames).toEqual([[5, 1, 'token']]);
  });

  it('misses nothing that comes in one message with the answer to ATTACH', async () => {
    const first = message(5, 'at once');
    first.writeBigUInt64BE(1n, 8);
    first.writeUInt32BE(9, 17);
    const relay = await start({ frame: (connection, frame) => connection.send(agree(frame) ?? [], first) });
    const client = await join(relay);
    const heard = listenTo(await client.channel('room', { plaintext: true }));
    await until(() => heard.texts).toEqual(['at once']);
  });

  it('sends all that one tick publishes in one WebSocket message, encrypted, ahead of the PING behind it', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { key: ChannelKey.random() });
    const before = relay.latest.messageCount;
    const published = Array.from({ length: 50 }, (_, i) => channel.publish(`${i}`));
    await client.flush();
    expect(relay.latest.messageCount - before).toBe(1);
    expect(relay.latest.frames.map(([type]) => type)).toEqual([2, ...same(4, 50), 6]);
    await Promise.all(published);
  });

  it('splits what is too much for one WebSocket message', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    for (let i = 0; i < 10; i++) channel.publish(new Uint8Array(50_000));
    await client.flush();
    expect(relay.latest.frames.filter(([type]) => type === 4)).toHaveLength(10);
    expect(relay.latest.messageCount).toBe(11);
  });

  it('sends what was published before it was closed, and before a channel was left', async () => {
    const relay = await start();
    const client = await join(relay);
    const [left, kept] = [
      await client.channel('left', { key: ChannelKey.random() }),
      await client.channel('kept', { key: ChannelKey.random() }),
    ];
    left.publish('one');
    const leaving = left.detach();
    kept.publish('two');
    await client.close();
    await relay.latest.closed;
    expect(relay.latest.frames.map(([type]) => type)).toEqual([2, 2, 4, 3, 4]);
    await leaving;
  });

  it('holds a writer back while the socket is full, and loses nothing', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    relay.latest.socket.pause();
    let sent = 0;
    const writing = (async () => {
      for (; sent < 400; sent++) await channel.publish(new Uint8Array(60_000));
    })();
    const whileFull = await settledCount(() => sent);
    expect(whileFull).toBeLessThan(400);
    relay.latest.socket.resume();
    await writing;
    await client.flush();
    expect(relay.latest.frames.filter(([type]) => type === 4)).toHaveLength(400);
  });

  it('tells an app what it could not decrypt in time as lost, and delivers the rest in order', async () => {
    const key = ChannelKey.random();
    const relay = await start();
    const [writer, reader] = [await join(relay), await join(relay)];
    const writing = await writer.channel('room', { key });
    const reading = await reader.channel('room', { key, maxWaiting: 10 });
    const heard = listenTo(reading);
    for (let i = 0; i < 100; i++) writing.publish(`${i}`);
    await writer.flush();
    const [from, to] = relay.connections;
    const bodies = from?.frames.filter(([type]) => type === 4).map((frame) => frame[5] as Uint8Array) ?? [];
    to?.send(...bodies.map((body, i) => stamped(body, i + 1)));
    await until(() => heard.texts.length + heard.losses.length).toBe(100);
    expect(heard.texts).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
    expect(heard.losses).toEqual(
      Array.from({ length: 90 }, (_, i) => ({
        channel: 'room',
        count: 1,
        cause: 'slow_app',
        firstSeq: i + 11,
        lastSeq: i + 11,
      })),
    );
  });

  it('waits with a new channel until it is connected again, unless told otherwise by a signal', async () => {
    let isUp = true;
    const relay = await start({
      hello: (connection) => (isUp ? connection.send(welcome()) : connection.socket.close(4006)),
    });
    const client = await join(relay);
    isUp = false;
    relay.latest.socket.terminate();
    await until(() => client.isConnected).toBe(false);
    const stop = new AbortController();
    const stopped = client.channel('stopped', { plaintext: true, signal: stop.signal });
    const patient = client.channel('patient', { plaintext: true });
    stop.abort();
    await expect(stopped).rejects.toMatchObject({ code: 'aborted' });
    isUp = true;
    expect((await patient).name).toBe('patient');
    await client.channel('stopped', { plaintext: true });
    expect(relay.latest.frames.filter(([type]) => type === 2).map((frame) => frame[2])).toEqual(['patient', 'stopped']);
  });

  it('says that the relay ended an attachment, keeps its name, and attaches again when a new token permits it', async () => {
    let isPermitted = true;
    const relay = await start({
      frame: (connection, frame) => {
        const isRefused = frame[0] === 2 && !isPermitted;
        const answer = isRefused ? [21, frame[1], 403, 'forbidden', 'no', null] : agree(frame);
        if (answer !== undefined) connection.send(answer);
      },
    });
    const client = await join(relay);
    const channel = await client.channel('room', { key: ChannelKey.random(), presence: true });
    const [ended, errors]: [string[], string[]] = [[], []];
    channel.on('detached', ({ code, status }) => ended.push(`${status} ${code}`));
    channel.on('error', ({ code }) => errors.push(code));
    isPermitted = false;
    relay.latest.send([18, null, 5, 403, 'forbidden']);
    await until(() => ended).toEqual(['403 forbidden']);
    await expect(channel.publish('x')).rejects.toMatchObject({ code: 'forbidden', status: 403 });
    await client.renew();
    await client.flush();
    await expect(channel.publish('x')).rejects.toMatchObject({ code: 'forbidden' });
    isPermitted = true;
    await client.renew();
    await client.flush();
    await channel.publish('x');
    await client.flush();
    expect(relay.latest.frames.filter(([type]) => type === 2)).toHaveLength(3);
    expect(errors).toEqual([]);
  });

  it('ends loops and refuses to publish once a channel was left, and gives its name free at once', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    const leaving = channel.detach();
    const again = client.channel('room', { plaintext: true });
    for await (const _ of channel);
    await expect(channel.publish('x')).rejects.toMatchObject({ code: 'detached' });
    await leaving;
    await (await again).publish('y');
  });

  it('has told everything that came before when flush resolves, losses in their place', async () => {
    const key = ChannelKey.random();
    const relay = await start();
    const [writer, reader] = [await join(relay), await join(relay)];
    const writing = await writer.channel('room', { key });
    for (let i = 0; i < 200; i++) writing.publish(`${i}`);
    await writer.flush();
    const reading = await reader.channel('room', { key });
    const told: string[] = [];
    reading.on('message', ({ text }) => told.push(text));
    reading.on('loss', ({ count }) => told.push(`lost ${count}`));
    const bodies =
      relay.connections[0]?.frames.filter(([type]) => type === 4).map((frame) => frame[5] as Uint8Array) ?? [];
    const frames = bodies.map((body, i) => stamped(body, i + (i < 100 ? 1 : 4)));
    relay.connections[1]?.send(...frames.slice(0, 100), [22, 5, 103, 0], ...frames.slice(100));
    await reader.flush();
    const texts = Array.from({ length: 200 }, (_, i) => `${i}`);
    expect(told).toEqual([...texts.slice(0, 100), 'lost 3', ...texts.slice(100)]);
  });

  it('enters presence without a connection too, and tells the others at the next', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { key: ChannelKey.random(), presence: true });
    await until(() => relay.latest.frames.length).toBe(2); // ATTACH and WHO
    const away = new Promise((resolve) => client.on('reconnecting', resolve));
    relay.latest.socket.terminate();
    await away;
    await channel.presence.enter('alice');
    await channel.presence.leave();
    await channel.presence.enter('alice');
    await until(() => relay.connections[1]?.frames.map(([type]) => type)).toEqual([2, 4, 4, 6]); // WHO and HERE
  });

  it('stops listening when a signal says so', async () => {
    const relay = await start();
    const client = await join(relay);
    const stop = new AbortController();
    const codes: number[] = [];
    client.on('reconnecting', ({ code }) => codes.push(code), { signal: stop.signal });
    const log = logOf(client);
    relay.latest.socket.terminate();
    await until(() => log.at(-1)).toBe('reconnected');
    stop.abort();
    relay.latest.socket.terminate();
    await until(() => log.filter((line) => line === 'reconnected')).toHaveLength(2);
    expect(codes).toEqual([1006]);
  });
});

/** A MESSAGE of sender 7 as the relay would send it. */
function stamped(body: Uint8Array, seq: number): Buffer {
  const bytes = message(5, body);
  bytes.writeBigUInt64BE(BigInt(seq), 8);
  bytes.writeUInt32BE(7, 17);
  return bytes;
}

/** A count once it has stood still for a few looks. */
async function settledCount(read: () => number): Promise<number> {
  let [last, still] = [-1, 0];
  await until(() => {
    still = read() === last ? still + 1 : 0;
    last = read();
    return still;
  }).toBeGreaterThan(50);
  return last;
}

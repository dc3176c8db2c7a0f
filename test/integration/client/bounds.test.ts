import { afterEach, describe, expect, it } from 'vitest';
import { ChannelKey, type ConnectOptions, connect, type Loss, type Relay } from '../../../src/client/node.ts';
import { message } from '../../support/client.ts';
import { agree, type Script, ScriptedRelay } from '../../support/scripted-relay.ts';
import { listenTo, until } from './support.ts';

const KIB = 1024;
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

/** A MESSAGE as the relay would send it. */
function stamped(channelId: number, body: Uint8Array | string, seq: number, sender = 9): Buffer {
  const bytes = message(channelId, body);
  bytes.writeBigUInt64BE(BigInt(seq), 8);
  bytes.writeUInt32BE(sender, 17);
  return bytes;
}

const sum = (losses: readonly Loss[]): number => losses.reduce((total, { count }) => total + (count ?? Number.NaN), 0);

describe('what waits in the SDK is bounded in bytes', () => {
  it('for the first who listens, who is told the rest as lost: a client that never does keeps 1 MiB', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    for (let seq = 1; seq <= 200; seq++) relay.latest.send(stamped(5, new Uint8Array(50 * KIB), seq));
    await client.flush();
    const heard = listenTo(channel);
    await until(() => heard.losses.length).toBe(1);
    const bytes = heard.messages.reduce((total, { data }) => total + data.length, 0);
    expect(bytes).toBeLessThanOrEqual(1024 * KIB);
    expect(bytes).toBeGreaterThan(900 * KIB);
    expect(heard.messages.length + sum(heard.losses)).toBe(200);
    relay.latest.send(stamped(5, new Uint8Array(2048 * KIB), 201));
    await until(() => heard.messages.at(-1)?.seq).toBe(201);
  });

  it('to nothing at all where a channel was attached to publish only, whatever a relay sends', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true, modes: 'w' });
    relay.latest.send(stamped(5, 'x', 1), [22, 5, 9, 0]);
    await client.flush();
    const heard = listenTo(channel);
    const loop = channel[Symbol.asyncIterator]();
    await client.flush();
    await channel.detach();
    expect([heard.texts, heard.losses, await loop.next()]).toEqual([[], [], { value: undefined, done: true }]);
  });

  it('for decryption, and delivers the rest in order', async () => {
    const key = ChannelKey.random();
    const relay = await start();
    const [writer, reader] = [await join(relay), await join(relay)];
    const writing = await writer.channel('room', { key, padding: 'none' });
    for (let i = 0; i < 40; i++) writing.publish(new Uint8Array(10 * KIB).fill(i));
    await writer.flush();
    const heard = listenTo(await reader.channel('room', { key, maxWaitingBytes: 64 * KIB }));
    const [from, to] = relay.connections;
    const bodies = from?.frames.filter(([type]) => type === 4).map((frame) => frame[5] as Uint8Array) ?? [];
    to?.send(...bodies.map((body, i) => stamped(5, body, i + 1, 7)));
    await until(() => heard.messages.length + sum(heard.losses)).toBe(40);
    expect(heard.messages.map(({ data }) => data[0])).toEqual([0, 1, 2, 3, 4, 5]);
    to?.send(stamped(5, bodies[6] as Uint8Array, 41, 7)); // there is room again
    await until(() => heard.messages.length).toBe(7);
  });
});

describe('a relay that names, repeats and makes up', () => {
  it('channels without end is heard of 100,000: then the patterns that hear them are ended, once, and nobody else feels it', async () => {
    const relay = await start();
    const client = await join(relay);
    const [pattern, innocent, other] = [
      await client.channel('flood.*', { plaintext: true }),
      await client.channel('room', { plaintext: true }),
      await client.channel('calm.*', { plaintext: true }),
    ];
    const ended: string[] = [];
    pattern.on('detached', ({ code, status }) => ended.push(`${status} ${code}`));
    const heard = [pattern, innocent, other].map(listenTo);
    relay.latest.send([27, 50, 'calm.a', 0]);
    for (let i = 0; i < 110_000; i += 10_000)
      relay.latest.send(...Array.from({ length: 10_000 }, (_, j) => [27, 1000 + i + j, `flood.${i + j}`, 0]));
    await until(() => ended).toEqual(['429 too_many_channels']);
    relay.latest.send(stamped(1000, 'late', 1), stamped(6, 'still', 1), stamped(50, 'here', 1));
    await until(() => heard.map(({ texts }) => texts)).toEqual([[], ['still'], ['here']]);
    await client.flush();
    expect(relay.latest.frames.filter(([type]) => type === 3).map((frame) => frame[2])).toEqual([5]);
    await client.renew(); // and is tried again
    await client.flush();
    const id = 4 + Number(relay.latest.frames.findLast(([type]) => type === 2)?.[1]);
    relay.latest.send([27, id + 1000, 'flood.again', 0], stamped(id + 1000, 'again', 1));
    await until(() => heard[0]?.texts).toEqual(['again']);
    expect([ended.length, relay.connections.length]).toEqual([1, 1]);
  });

  it('things about channels that nobody attached changes nothing, a hundred thousand times', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    const heard = listenTo(channel);
    const events: string[] = [];
    for (const name of ['error', 'detached'] as const) channel.on(name, ({ code }) => events.push(code));
    client.on('error', ({ code }) => events.push(code));
    client.on('reconnecting', ({ code }) => events.push(`${code}`));
    for (let i = 0; i < 20_000; i++) {
      const id = 1000 + i;
      relay.latest.send([22, id, 9, 0], [23, id, 3], [24, id, 3], [18, null, id, 403, 'forbidden'], [27, id, 'b', 1]);
    }
    relay.latest.send([17, 1, 5, 3, 0, 1], [17, 999, 77, 3, 0, 1], stamped(5, 'after', 1));
    await until(() => heard.texts).toEqual(['after']);
    expect([heard.losses, events]).toEqual([[], []]);
  });

  it('one id in answer to two ATTACHes has its connection given up, and both channels are attached on the next', async () => {
    const relay: ScriptedRelay = await start({
      frame: (connection, frame) => {
        const isBad = frame[0] === 2 && relay.connections.length === 1;
        connection.send(isBad ? [17, frame[1], 5, 3, 0, 1] : (agree(frame) ?? []));
      },
    });
    const client = await join(relay);
    const channels = await Promise.all(['a', 'b'].map((name) => client.channel(name, { plaintext: true })));
    expect(channels.map(({ name }) => name)).toEqual(['a', 'b']);
    await client.flush();
    expect(relay.connections.map(({ frames }) => frames.filter(([type]) => type === 2).length)).toEqual([2, 2]);
  });

  it('one id for two channels has its connection given up', async () => {
    const relay = await start();
    const client = await join(relay);
    await client.channel('room.*', { plaintext: true });
    const codes: number[] = [];
    client.on('reconnecting', ({ code }) => codes.push(code));
    relay.latest.send([27, 20, 'room.a', 0], [27, 20, 'room.b', 0]);
    await until(() => codes).toEqual([1006]);
  });
});

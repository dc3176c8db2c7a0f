import { afterEach, describe, expect, it } from 'vitest';
import { ChannelKey, type ConnectOptions, connect, type Loss, type Relay } from '../../../src/client/node.ts';
import { message } from '../../support/client.ts';
import { type Script, ScriptedRelay } from '../../support/scripted-relay.ts';
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

import { afterEach, describe, expect, it } from 'vitest';
import { type Channel, type ConnectOptions, connect, type Loss, type Relay } from '../../../src/client/node.ts';
import { type Frame, message } from '../../support/client.ts';
import { agree, type Script, ScriptedRelay } from '../../support/scripted-relay.ts';
import { listenTo, until } from './support.ts';

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

/** MESSAGEs of sender 9, numbered from `first` to `last`, each with its number as text. */
function numbered(channelId: number, first: number, last: number): Buffer[] {
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const bytes = message(channelId, `${first + i}`);
    bytes.writeBigUInt64BE(BigInt(first + i), 8);
    bytes.writeUInt32BE(9, 17);
    return bytes;
  });
}

/** Reads a number of messages in a loop of its own, then leaves it. */
async function take(channel: Channel, count: number): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { seq } of channel) if (seqs.push(seq) === count) break;
  return seqs;
}

/** Numbers from `first` to `last`. */
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe('a loop that is left and begun again', () => {
  it('goes on where it was left, with what came in between', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    const heard = listenTo(channel);
    const first = take(channel, 2);
    relay.latest.send(...numbered(5, 1, 5));
    expect(await first).toEqual([1, 2]);
    relay.latest.send(...numbered(5, 6, 8));
    await client.flush();
    expect(await take(channel, 4)).toEqual([3, 4, 5, 6]);
    expect(await take(channel, 2)).toEqual([7, 8]);
    expect([heard.messages.map(({ seq }) => seq), heard.losses]).toEqual([range(1, 8), []]);
  });

  it('is told what there was no room for in between, once, ahead of what comes behind it', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true, maxWaiting: 3 });
    const told: unknown[] = [];
    channel.on('loss', ({ count, firstSeq, lastSeq }) => told.push([count, firstSeq, lastSeq]));
    const first = take(channel, 1);
    relay.latest.send(...numbered(5, 1, 2));
    expect(await first).toEqual([1]);
    relay.latest.send(...numbered(5, 3, 20));
    await client.flush();
    expect(told).toEqual([]);
    for await (const { seq } of channel) {
      told.push(seq);
      if (seq === 20) break;
    }
    expect(told).toEqual([[16, 2, 17], 18, 19, 20]);
  });

  it('leaves what waits for the first who listens when it took nothing of it', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    relay.latest.send(...numbered(5, 1, 3));
    await client.flush();
    await channel[Symbol.asyncIterator]().return?.();
    await client.flush();
    const heard = listenTo(channel);
    await until(() => heard.texts).toEqual(['1', '2', '3']);
  });
});

describe('several consumers of a channel', () => {
  it('are told each its own losses and no others: two slow loops beside a listener', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true, maxWaiting: 50 });
    const heard = listenTo(channel);
    const loops = [channel[Symbol.asyncIterator](), channel[Symbol.asyncIterator]()];
    const read = [loops[0]?.next(), loops[1]?.next()];
    relay.latest.send(...numbered(5, 1, 100));
    await client.flush();
    await loops[0]?.next();
    relay.latest.send(...numbered(5, 101, 200));
    await client.flush();
    await Promise.all(read);
    await client.channel('end', { plaintext: true });
    await channel.detach(); // what they missed is told by now
    const rest = await Promise.all(loops.map((loop) => drained(loop)));
    expect(heard.messages.map(({ seq }) => seq)).toEqual(range(1, 200));
    const told = loops.map((loop) => sum(heard.losses.filter((loss) => loss.loop === loop)));
    expect(told.map((count, i) => count + (rest[i] ?? 0) + (i === 0 ? 2 : 1))).toEqual([200, 200]);
    expect(heard.losses.filter(({ loop }) => loop === undefined)).toEqual([]);
    expect(told).toEqual([148, 149]);
  });

  it('are all told what the connection missed, in one event', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    const heard = listenTo(channel);
    const loop = channel[Symbol.asyncIterator]();
    relay.latest.send(...numbered(5, 1, 1), [22, 5, 4, 0], ...numbered(5, 5, 5));
    expect([(await loop.next()).value?.seq, (await loop.next()).value?.seq]).toEqual([1, 5]);
    expect(heard.losses).toEqual([{ channel: 'room', count: 3, cause: 'slow_reader', firstSeq: 1, lastSeq: 4 }]);
  });
});

describe('what is missed while the relay has ended an attachment', () => {
  /** A relay that refuses ATTACH while it is told to, and says `seq` in what it answers. */
  async function startStrict() {
    const policy = { isRefusing: false, id: 5, seq: 0, named: [] as Frame[] };
    const relay = await start({
      frame: (connection, frame) => {
        const [type, ref] = frame;
        if (type !== 2) connection.send(agree(frame) ?? []);
        else if (policy.isRefusing) connection.send([21, ref, 403, 'forbidden', 'no', null]);
        else connection.send([17, ref, policy.id, 1, policy.seq, 1], ...policy.named);
      },
    });
    return { relay, policy };
  }

  it.each([
    ['exactly, where the channel is the same', 5, { count: 4, firstSeq: 3, lastSeq: 6 }],
    ['as unknown, where it is another of the name', 9, { count: null, firstSeq: null, lastSeq: null }],
  ])('is told %s', async (_, id, expected) => {
    const { relay, policy } = await startStrict();
    const client = await join(relay);
    const heard = listenTo(await client.channel('room', { plaintext: true, modes: 'r' }));
    relay.latest.send(...numbered(5, 1, 2));
    relay.latest.send([18, null, 5, 403, 'forbidden']);
    await client.flush();
    Object.assign(policy, { id, seq: 6 });
    await client.renew();
    await until(() => heard.losses).toEqual([{ channel: 'room', cause: 'detached', ...expected }]);
    relay.latest.send(...numbered(id, 7, 7));
    await until(() => heard.texts).toEqual(['1', '2', '7']);
  });

  it('is told exactly when a channel that was refused after a reconnect is attached at last', async () => {
    const { relay, policy } = await startStrict();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true, modes: 'r' });
    const heard = listenTo(channel);
    relay.latest.send(...numbered(5, 1, 2));
    await until(() => heard.texts.length).toBe(2);
    policy.isRefusing = true;
    const back = new Promise((resolve) => client.on('reconnected', resolve));
    relay.latest.socket.terminate();
    await back;
    expect(heard.losses).toEqual([]);
    Object.assign(policy, { isRefusing: false, seq: 9 });
    await client.renew();
    await until(() => heard.losses).toEqual([
      { channel: 'room', count: 7, cause: 'reconnect', firstSeq: 3, lastSeq: 9 },
    ]);
  });

  it('is told of each channel of a pattern, those it does not meet again included', async () => {
    const { relay, policy } = await startStrict();
    const client = await join(relay);
    const heard = listenTo(await client.channel('room.*', { plaintext: true }));
    relay.latest.send([27, 20, 'room.a', 0], [27, 21, 'room.b', 0], ...numbered(20, 1, 1));
    relay.latest.send([18, null, 5, 403, 'forbidden']);
    await client.flush();
    Object.assign(policy, { id: 6, named: [[27, 20, 'room.a', 3]] });
    await client.renew();
    await until(() => heard.losses.map(({ channel, count, cause }) => [channel, count, cause])).toEqual([
      ['room.a', 2, 'detached'],
      ['room.b', null, 'detached'],
    ]);
  });
});

/** How many messages a loop still gives. */
async function drained(loop: AsyncIterator<unknown>): Promise<number> {
  for (let count = 0; ; count++) if ((await loop.next()).done === true) return count;
}

function sum(losses: readonly Loss[]): number {
  return losses.reduce((total, { count }) => total + (count ?? Number.NaN), 0);
}

describe('a connection that breaks before the relay said what it skipped', () => {
  it.each([
    [0, [2]],
    [1, [1]],
    [2, []],
  ])('has the holes told, but for as many as this program published (%i)', async (ownCount, counts) => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    const { losses, texts } = listenTo(channel);
    for (let i = 0; i < ownCount; i++) await channel.publish('own');
    relay.latest.send(...numbered(5, 1, 1), ...numbered(5, 4, 4));
    await until(() => texts).toEqual(['1', '4']);
    const back = new Promise((resolve) => client.on('reconnected', resolve));
    relay.latest.socket.terminate();
    await back;
    const told = losses.filter(({ cause }) => cause === 'slow_reader');
    expect(told.map(({ count }) => count)).toEqual(counts);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { blindName, ChannelKey, type ConnectOptions, connect, KeyRing, type Relay } from '../../../src/client/node.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../../support/relay.ts';
import { listenTo, same, until } from './support.ts';

describe('patterns in the SDK', () => {
  let relay: TestRelay;
  const key = ChannelKey.random();
  const open: Relay[] = [];
  const sockets: WebSocket[] = [];
  let gate: Promise<void> = Promise.resolve();
  beforeEach(async () => {
    relay = await startTestRelay();
  });
  afterEach(async () => {
    for (const client of open.splice(0)) await client.close();
    sockets.length = 0;
    await stopRelays();
  });

  async function join(options: Partial<ConnectOptions> = {}): Promise<Relay> {
    const client = await connect(relay.url, {
      token: () => relay.mint(),
      backoff: { firstMs: 1, maxMs: 5 },
      ...options,
    });
    open.push(client);
    return client;
  }

  /** Cuts the connection, lets `meanwhile` happen while it is away, and waits until it is back. */
  async function whileAway(client: Relay, meanwhile: () => Promise<void>): Promise<void> {
    const away = new Promise((resolve) => client.on('reconnecting', resolve));
    const back = new Promise((resolve) => client.on('reconnected', resolve));
    let goOn: () => void = () => {};
    gate = new Promise((resolve) => {
      goOn = resolve;
    });
    sockets.at(-1)?.terminate();
    await away;
    await meanwhile();
    goOn();
    await back;
  }
  /** A client whose connections can be cut, and that comes back when `gate` permits. */
  const joinGated = (): Promise<Relay> =>
    join({
      token: async () => {
        await gate;
        return relay.mint();
      },
      socket: (url, protocol) => {
        const socket = new WebSocket(url, protocol);
        sockets.push(socket);
        return socket as never;
      },
    });

  it('bring every channel they match, each by its name, decrypted with one ring', async () => {
    const ring = new KeyRing(key);
    const [writer, reader] = [await join(), await join()];
    const early = await writer.channel('team.a.news', { key: ring, modes: 'w' });
    const all = listenTo(await reader.channel('team.*.news', { key: ring }));
    const late = await writer.channel('team.b.news', { key: ring, modes: 'w' });
    const other = await writer.channel('team.b.gossip', { key: ring, modes: 'w' });
    for (const channel of [early, late, other]) await channel.publish(`in ${channel.name}`);
    await until(() => all.messages.map(({ channel, text }) => [channel, text])).toEqual([
      ['team.a.news', 'in team.a.news'],
      ['team.b.news', 'in team.b.news'],
    ]);
    expect(all.refused).toEqual([]);
  });

  it('match blind names as they match the names behind them', async () => {
    const blindKey = crypto.getRandomValues(new Uint8Array(32));
    const [writer, reader] = [await join(), await join()];
    const heard = listenTo(await reader.channel(await blindName(blindKey, 'inbox.*'), { key }));
    await (await writer.channel(await blindName(blindKey, 'inbox.bob'), { key })).publish('for bob');
    await until(() => heard.texts).toEqual(['for bob']);
    expect(heard.messages[0]?.channel).toBe(await blindName(blindKey, 'inbox.bob'));
  });

  it('deliver a frame once to each of name, pattern and other pattern, with either attached first', async () => {
    const [writer, reader] = [await join(), await join()];
    const writing = await writer.channel('room.a', { key, modes: 'w' });
    const first = await reader.channel('room.*', { key });
    const named = await reader.channel('room.a', { key, modes: 'r' });
    const rest = await reader.channel('>', { key });
    const heard = [first, named, rest].map(listenTo);
    await writing.publish('one');
    await until(() => heard.map(({ texts }) => texts)).toEqual(same(['one'], 3));
    await named.detach();
    await writing.publish('two');
    await until(() => heard.map(({ texts }) => texts)).toEqual([['one', 'two'], ['one'], ['one', 'two']]);
    await first.detach();
    await writing.publish('three');
    await until(() => heard.map(({ texts }) => texts.at(-1))).toEqual(['two', 'one', 'three']);
    await reader.flush();
    expect(heard.map(({ texts, losses }) => [texts.length, losses])).toEqual([
      [2, []],
      [1, []],
      [3, []],
    ]);
  });

  it('deliver nothing of what they do not decrypt, and name the channel it came on', async () => {
    const [mallory, reader] = [await join(), await join()];
    const heard = listenTo(await reader.channel('room.*', { key }));
    const refused: unknown[] = [];
    const again = await reader.channel('*.a', { key });
    again.on('refused', ({ channel, reason }) => refused.push([channel, reason]));
    await (await mallory.channel('room.a', { plaintext: true, modes: 'w' })).publish('injected');
    await (await mallory.channel('room.b', { key: ChannelKey.random(), modes: 'w' })).publish('forged');
    await until(() => heard.refused).toEqual(['not_encrypted', 'not_authentic']);
    await until(() => refused).toEqual([['room.a', 'not_encrypted']]);
    expect(heard.texts).toEqual([]);
  });

  it('tell what was missed of each channel while the connection was away: exactly, or that nobody knows', async () => {
    const [writer, reader] = [await join(), await joinGated()];
    const [lives, ends] = [
      await writer.channel('room.lives', { key, modes: 'w' }),
      await writer.channel('room.ends', { key, modes: 'w' }),
    ];
    const heard = listenTo(await reader.channel('room.*', { key }));
    await lives.publish('before');
    await ends.publish('before');
    await until(() => heard.texts.length).toBe(2);
    await whileAway(reader, async () => {
      for (let i = 0; i < 4; i++) await lives.publish('missed');
      await ends.publish('missed');
      await ends.detach(); // its last attachment: the channel ends
      await (await writer.channel('room.new', { key, modes: 'w' })).publish('missed');
      await writer.flush();
    });
    const losses = heard.losses.map(({ channel, count }) => [channel, count]);
    expect(losses.sort()).toEqual([
      ['room.ends', null],
      ['room.lives', 4],
      ['room.new', null],
    ]);
    await lives.publish('after');
    await until(() => heard.texts.at(-1)).toBe('after');
  });

  it('count a loss once for a name and a pattern that hear the same channel', async () => {
    const [writer, reader] = [await join(), await joinGated()];
    const writing = await writer.channel('room.a', { key, modes: 'w' });
    const heard = [await reader.channel('room.a', { key, modes: 'r' }), await reader.channel('room.*', { key })].map(
      listenTo,
    );
    await writing.publish('before');
    await until(() => heard.map(({ texts }) => texts.length)).toEqual([1, 1]);
    await whileAway(reader, async () => {
      for (let i = 0; i < 3; i++) await writing.publish('missed');
      await writer.flush();
    });
    expect(heard.map(({ losses }) => losses)).toEqual(
      same([{ channel: 'room.a', count: 3, cause: 'reconnect', firstSeq: 2, lastSeq: 4 }], 2),
    );
  });

  it('cannot be published to, and cannot have presence', async () => {
    const reader = await join();
    const all = await reader.channel('room.*', { key });
    await expect(all.publish('x')).rejects.toMatchObject({ code: 'not_publishing' });
    await expect(reader.channel('team.*', { key, modes: 'rw' })).rejects.toMatchObject({ code: 'bad_modes' });
    await expect(reader.channel('team.>', { key, modes: 'rw', presence: true })).rejects.toMatchObject({
      code: 'bad_modes',
    });
  });

  it('are refused where no grant covers them', async () => {
    const reader = await join({ token: () => relay.mint({ can: { 'room.a': 'r' } }) });
    await expect(reader.channel('room.*', { key })).rejects.toMatchObject({ code: 'forbidden', status: 403 });
  });
});

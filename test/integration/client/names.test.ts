import { afterEach, describe, expect, it } from 'vitest';
import { type Channel, type ConnectOptions, connect, type Relay } from '../../../src/client/node.ts';
import { type Frame, message } from '../../support/client.ts';
import { startTestRelay, stopRelays } from '../../support/relay.ts';
import { agree, type Script, ScriptedRelay } from '../../support/scripted-relay.ts';
import { listenTo, same, until } from './support.ts';

const plain = { plaintext: true } as const;

describe('a name that was given up is free at once', () => {
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

  /** Asks for a channel and gives it up in the same tick; resolves with the code it failed with. */
  function giveUp(client: Relay, name: string): Promise<unknown> {
    const stop = new AbortController();
    const attaching = client.channel(name, { ...plain, signal: stop.signal });
    stop.abort();
    return attaching.catch(({ code }) => code);
  }

  /** ATTACH and DETACH of a connection, as `+` with the name and `-` with the id. */
  function requests(relay: ScriptedRelay): string[] {
    return relay.latest.frames.flatMap(([type, , target]) =>
      type === 2 ? [`+${target}`] : type === 3 ? [`-${target}`] : [],
    );
  }

  /** Whether a channel hears what comes on the latest attachment of the latest connection. */
  async function hears(relay: ScriptedRelay, channel: Channel): Promise<void> {
    const ref = relay.latest.frames.findLast(([type]) => type === 2)?.[1];
    const isPattern = channel.name.includes('*');
    const bytes = message(isPattern ? 900 : 4 + Number(ref), 'here');
    bytes.writeBigUInt64BE(1n, 8);
    bytes.writeUInt32BE(9, 17);
    if (isPattern) relay.latest.send([27, 900, 'room.a', 0]);
    relay.latest.send(bytes);
    const heard = listenTo(channel);
    await until(() => heard.texts).toEqual(['here']);
  }

  it.each(['room', 'room.*'])(
    'by its signal in the same tick, and the next has the one attachment of %s',
    async (name) => {
      const relay = await start();
      const client = await join(relay);
      const first = giveUp(client, name);
      const second = client.channel(name, plain);
      expect(await first).toBe('aborted');
      const channel = await second;
      await client.flush();
      expect(requests(relay)).toEqual([`+${name}`]);
      await hears(relay, channel);
    },
  );

  it.each(['room', 'room.*'])(
    'by its signal while ATTACH of %s is under way: it is detached before the next',
    async (name) => {
      const held: Frame[] = [];
      const relay = await start({
        frame: (connection, frame) => {
          if (frame[0] === 2 && held.length === 0) held.push(frame);
          else connection.send(agree(frame) ?? []);
        },
      });
      const client = await join(relay);
      const stop = new AbortController();
      const first = client.channel(name, { ...plain, signal: stop.signal }).catch(({ code }) => code);
      await until(() => held.length).toBe(1);
      stop.abort();
      const second = client.channel(name, plain);
      expect(await first).toBe('aborted');
      relay.latest.send(agree(held[0] as Frame) ?? []);
      await second;
      await client.flush();
      expect(requests(relay)).toEqual([`+${name}`, '-5', `+${name}`]);
    },
  );

  it('by a signal that was aborted before the call, which sends nothing', async () => {
    const relay = await start();
    const client = await join(relay);
    const first = client.channel('room', { ...plain, signal: AbortSignal.abort('late') });
    const second = client.channel('room', plain);
    await expect(first).rejects.toMatchObject({ code: 'aborted', cause: 'late' });
    await hears(relay, await second);
    expect(requests(relay)).toEqual(['+room']);
  });

  it('to a listener of the same signal that asks for it first of all', async () => {
    const relay = await start();
    const client = await join(relay);
    const stop = new AbortController();
    const again: Promise<Channel>[] = [];
    stop.signal.addEventListener('abort', () => again.push(client.channel('room', plain)));
    const first = client.channel('room', { ...plain, signal: stop.signal }).catch(({ code }) => code);
    stop.abort();
    expect(await first).toBe('aborted');
    await hears(relay, (await again[0]) as Channel);
  });

  it('many times in one tick', async () => {
    const relay = await start();
    const client = await join(relay);
    const given = Array.from({ length: 20 }, () => giveUp(client, 'room'));
    const last = client.channel('room', plain);
    expect(await Promise.all(given)).toEqual(same('aborted', 20));
    await hears(relay, await last);
    expect(requests(relay)).toEqual(['+room']);
  });

  it('while there is no connection', async () => {
    const relay = await start();
    const client = await join(relay);
    relay.latest.socket.terminate();
    await until(() => client.isConnected).toBe(false);
    const first = giveUp(client, 'room');
    const second = client.channel('room', plain);
    expect(await first).toBe('aborted');
    await hears(relay, await second);
    expect(requests(relay)).toEqual(['+room']);
  });

  it('by detaching, over and over in one tick', async () => {
    const relay = await start();
    const client = await join(relay);
    let channel = await client.channel('room', plain);
    for (let i = 0; i < 3; i++) {
      channel.detach();
      const again = client.channel('room', plain);
      await expect(client.channel('room', plain)).rejects.toMatchObject({ code: 'already_attached' });
      channel = await again;
    }
    await hears(relay, channel);
    expect(requests(relay)).toEqual(['+room', '-5', '+room', '-7', '+room', '-9', '+room']);
  });

  it('by a refusal', async () => {
    let isRefused = true;
    const relay = await start({
      frame: (connection, frame) => {
        const answer = frame[0] === 2 && isRefused ? [21, frame[1], 403, 'forbidden', 'no', null] : agree(frame);
        connection.send(answer ?? []);
      },
    });
    const client = await join(relay);
    let again: Promise<Channel> | undefined;
    await client.channel('room', plain).catch(() => {
      isRefused = false;
      again = client.channel('room', plain);
    });
    await hears(relay, (await again) as Channel);
  });

  it('but not for the living: a signal that is aborted after attaching ends nothing', async () => {
    const relay = await start();
    const client = await join(relay);
    const stop = new AbortController();
    const channel = await client.channel('room', { ...plain, signal: stop.signal });
    stop.abort();
    await expect(client.channel('room', plain)).rejects.toMatchObject({ code: 'already_attached' });
    await hears(relay, channel);
  });

  it('and nothing hangs when the relay is closed in between', async () => {
    const client = await join(await start());
    const first = giveUp(client, 'room');
    const second = client.channel('room', plain).catch(({ code }) => code);
    const closing = client.close();
    const third = client.channel('room', plain).catch(({ code }) => code);
    await closing;
    expect(await Promise.all([first, second, third])).toEqual(['aborted', 'closed', 'closed']);
  });

  it('also where the relay is too busy for a DETACH at the moment: it is asked again before the next ATTACH', async () => {
    let refusals = 1;
    const relay = await start({
      frame: (connection, frame) => {
        const isRefused = frame[0] === 3 && refusals-- > 0;
        const answer = isRefused ? [21, frame[1], 429, 'too_fast', 'slowly', frame[2]] : agree(frame);
        connection.send(answer ?? []);
      },
    });
    const client = await join(relay);
    const channel = await client.channel('room', plain);
    const leaving = channel.detach();
    await hears(relay, await client.channel('room', plain));
    await leaving;
    expect(requests(relay)).toEqual(['+room', '-5', '-5', '+room']);
  });

  it('at a real relay, where one attachment is left of all of it', async () => {
    const relay = await startTestRelay();
    const [reader, writer] = [
      await join(relay, { token: () => relay.mint() }),
      await join(relay, { token: () => relay.mint() }),
    ];
    const writing = await writer.channel('room', { ...plain, modes: 'w' });
    for (let i = 0; i < 10; i++) {
      giveUp(reader, 'room');
      giveUp(reader, 'room.*');
      const [named, pattern] = await Promise.all([reader.channel('room', plain), reader.channel('room.*', plain)]);
      if (i === 9) break;
      named.detach();
      pattern.detach();
      if (i % 3 === 0) await reader.flush();
    }
    await reader.flush();
    expect(await relay.metrics()).toMatch(/^mayfly_attachments 3$/m); // the writer's, and two of the reader's
    expect(writing.name).toBe('room');
  });
});

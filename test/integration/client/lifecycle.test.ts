import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ChannelKey, type ConnectOptions, connect, type Relay } from '../../../src/client/node.ts';
import { Program } from '../../support/cli.ts';
import { type Frame, message } from '../../support/client.ts';
import { startTestRelay, stopRelays } from '../../support/relay.ts';
import { agree, type Script, type ScriptedConnection, ScriptedRelay } from '../../support/scripted-relay.ts';
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

/** A script that agrees to everything but what `answer` answers; null is silence. */
function butFor(answer: (frame: Frame, connection: ScriptedConnection) => Frame | null | undefined): Script {
  return {
    frame: (connection, frame) => {
      const given = answer(frame, connection);
      const sent = given === undefined ? agree(frame) : given;
      if (sent !== undefined && sent !== null) connection.send(sent);
    },
  };
}

/** A MESSAGE of sender 9 as the relay would send it. */
function stamped(channelId: number, text: string, seq: number): Buffer {
  const bytes = message(channelId, text);
  bytes.writeBigUInt64BE(BigInt(seq), 8);
  bytes.writeUInt32BE(9, 17);
  return bytes;
}

const typesOf = ({ frames }: ScriptedConnection): unknown[] => frames.map(([type]) => type);
const back = (client: Relay): Promise<unknown> => new Promise((resolve) => client.on('reconnected', resolve));

/** Sockets whose state can be seen, and that can be cut. */
function watched(sockets: WebSocket[]): Pick<ConnectOptions, 'socket'> {
  return {
    socket: (url, protocol) => {
      const socket = new WebSocket(url, protocol);
      sockets.push(socket);
      return socket as never;
    },
  };
}

describe('attaching', () => {
  it('keeps messages until somebody listens, and losses and refusals in their place', async () => {
    const relay = await start(
      butFor((frame, connection) => {
        if (frame[0] !== 2) return undefined;
        connection.send(agree(frame) ?? [], stamped(5, 'one', 1), [22, 5, 3, 0], stamped(5, 'two', 4));
        return null;
      }),
    );
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    await channel.publish('hello');
    await client.flush();
    const told: unknown[] = [];
    channel.on('loss', ({ count }) => told.push(count));
    channel.on('message', ({ text }) => told.push(text));
    await until(() => told).toEqual(['one', 2, 'two']);
  });

  it('keeps no more than maxWaiting for nobody, and tells the rest as lost', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true, maxWaiting: 3 });
    for (let seq = 1; seq <= 10; seq++) relay.latest.send(stamped(5, `${seq}`, seq));
    await client.flush();
    const heard = listenTo(channel);
    await until(() => heard.texts).toEqual(['1', '2', '3']);
    expect(heard.losses).toEqual([{ channel: 'room', count: 7, cause: 'slow_app', firstSeq: 4, lastSeq: 10 }]);
  });

  it('counts what it had no room for exactly, losses among it', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true, maxWaiting: 2 });
    relay.latest.send(stamped(5, '1', 1), stamped(5, '2', 2), [22, 5, 52, 0], stamped(5, '53', 53));
    await client.flush();
    const heard = listenTo(channel);
    await until(() => heard.losses).toEqual([
      { channel: 'room', count: 51, cause: 'slow_app', firstSeq: 1, lastSeq: 53 },
    ]);
  });

  it('waits on when a listener was stopped before it began', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true });
    relay.latest.send(stamped(5, 'one', 1));
    await client.flush();
    channel.on('message', () => {}, { signal: AbortSignal.abort() });
    channel.on('message', () => {})();
    await client.flush();
    const heard = listenTo(channel);
    await until(() => heard.texts).toEqual(['one']);
  });

  it('is given up by its signal while the relay is silent, and its name is free', async () => {
    let isSilent = true;
    const relay = await start(butFor((frame) => (frame[0] === 2 && isSilent ? null : undefined)));
    const client = await join(relay);
    const stop = new AbortController();
    const attaching = client.channel('room', { plaintext: true, signal: stop.signal });
    await until(() => typesOf(relay.latest)).toEqual([2]);
    stop.abort('enough');
    await expect(attaching).rejects.toMatchObject({ code: 'aborted', cause: 'enough' });
    isSilent = false;
    relay.latest.send(agree(relay.latest.frames[0] as Frame) ?? []);
    await client.channel('room', { plaintext: true });
    expect(typesOf(relay.latest)).toEqual([2, 3, 2]);
  });

  it('fails when the relay was closed meanwhile', async () => {
    const client = await join(await start());
    const attaching = client.channel('room', { plaintext: true });
    client.close();
    await expect(attaching).rejects.toMatchObject({ code: 'closed' });
  });

  it('takes an answer to another question for a broken connection', async () => {
    let count = 0;
    const relay = await start(butFor((frame) => (frame[0] === 2 && count++ === 0 ? [20, frame[1]] : undefined)));
    const client = await join(relay);
    const errors: number[] = [];
    client.on('reconnecting', ({ code }) => errors.push(code));
    expect((await client.channel('room', { plaintext: true })).name).toBe('room');
    expect([errors, relay.connections.length]).toEqual([[1006], 2]);
  });

  it.each([
    ['a name that is none', 'not a name', 'bad_channel'],
    ['a name without end', 'x'.repeat(70_000), 'bad_channel'],
    ['a pattern with presence', 'team.>', 'bad_modes'],
  ])('refuses %s, and sends nothing', async (_, name, code) => {
    const relay = await start();
    const client = await join(relay);
    await expect(client.channel(name, { key, presence: name === 'team.>' })).rejects.toMatchObject({
      code,
      status: 400,
    });
    await client.flush();
    expect(typesOf(relay.latest)).toEqual([6]);
  });

  it.each([[new Uint8Array(32)], ['secret'], [null]])('refuses %s in the place of a key', async (wrong) => {
    const client = await join(await start());
    await expect(client.channel('room', { key: wrong as never })).rejects.toMatchObject({ code: 'key_required' });
  });

  it.each([[{ a: 1 }], [new ArrayBuffer(1)], [7], [undefined]])('refuses to publish %j', async (wrong) => {
    const channel = await (await join(await start())).channel('room', { key });
    await expect(channel.publish(wrong as never)).rejects.toThrow('expected a Uint8Array or a string');
  });
});

describe('leaving', () => {
  it('tells nothing more, not of what had come already either', async () => {
    for (const leave of ['detach', 'close'] as const) {
      const relay = await start();
      const client = await join(relay);
      const channel = await client.channel('room', { plaintext: true });
      const told: string[] = [];
      channel.on('message', ({ text }) => {
        told.push(text);
        if (leave === 'detach') channel.detach();
        else client.close();
      });
      relay.latest.send(...[1, 2, 3].map((seq) => stamped(5, `${seq}`, seq)));
      await until(() => told.length).toBeGreaterThan(0);
      expect(told).toEqual(['1']); // all three came in one message
    }
  });

  it('twice is leaving once, and harms no later channel of the name', async () => {
    const relay = await start();
    const client = await join(relay);
    const first = await client.channel('room', { key, presence: true });
    await first.detach();
    const second = await client.channel('room', { key, presence: true });
    await first.detach();
    relay.latest.send([24, 4 + Number(relay.latest.frames.findLast(([type]) => type === 2)?.[1]), 3]);
    await until(() => second.presence.occupancy).toBe(3);
    await expect(client.channel('room', { key })).rejects.toMatchObject({ code: 'already_attached' });
    expect(typesOf(relay.latest).filter((type) => type === 3)).toHaveLength(1);
  });

  it('during a reconnect leaves nothing behind: no message, no name in use, no attachment', async () => {
    const relay = await startTestRelay();
    const sockets: WebSocket[] = [];
    const reader = await join(relay, { token: () => relay.mint(), ...watched(sockets) });
    const writer = await join(relay, { token: () => relay.mint() });
    const old = await reader.channel('room', { key });
    const heard = listenTo(old);
    const writing = await writer.channel('room', { key, modes: 'w' });
    const returned = back(reader);
    sockets[0]?.terminate();
    await until(() => sockets.length).toBe(2);
    sockets[1]?.once('message', () => queueMicrotask(() => old.detach())); // WELCOME: ATTACH is about to go out
    await returned;
    await reader.flush();
    await writing.publish('after');
    await writer.flush();
    await reader.flush();
    expect(heard.texts).toEqual([]);
    await expect(old.publish('x')).rejects.toMatchObject({ code: 'detached' });
    expect(await relay.metrics()).toMatch(/^mayfly_attachments 1$/m);
    const again = listenTo(await reader.channel('room', { key }));
    await writing.publish('again');
    await until(() => again.texts).toEqual(['again']);
  });

  it('a name while a pattern that covers it is being attached costs the pattern no message', async () => {
    const relay = await startTestRelay();
    const [writer, reader] = [
      await join(relay, { token: () => relay.mint() }),
      await join(relay, { token: () => relay.mint() }),
    ];
    const writing = await writer.channel('room.a', { key, modes: 'w' });
    const named = await reader.channel('room.a', { key, modes: 'r' });
    const attaching = reader.channel('room.*', { key });
    const leaving = named.detach();
    const heard = listenTo(await attaching);
    await leaving;
    for (let i = 0; i < 5; i++) await writing.publish(`${i}`);
    await until(() => heard.texts).toEqual(['0', '1', '2', '3', '4']);
  });

  it('lets a program end by itself, whatever was under way', async () => {
    const relay = await start(
      butFor((frame) => (frame[0] === 5 ? [21, frame[1], 403, 'forbidden', 'no', null] : undefined)),
    );
    const mute = await start({ hello: () => {} });
    const script = `
      import { connect } from './src/client/node.ts';
      const patient = { connectTimeoutMs: 600_000, backoff: { firstMs: 600_000, maxMs: 600_000 } };
      const renewing = await connect('${relay.url}', { token: () => 'token', ...patient });
      const refused = new Promise((resolve) => renewing.on('error', resolve));
      await fetch('http://127.0.0.1:9').catch(() => {});
      globalThis.process.stdout.write('expire\\n');
      await refused; // the next try is ten minutes away
      await renewing.close();
      const stop = new AbortController();
      const connecting = connect('${mute.url}', { token: 'token', signal: stop.signal, ...patient });
      const asking = connect('${mute.url}', { token: () => new Promise(() => {}), signal: stop.signal, ...patient });
      stop.abort();
      console.log((await Promise.allSettled([connecting, asking])).map(({ reason }) => reason.code).join(' '));
      const moving = await connect('${relay.url}', { token: () => 'token', backoff: { maxMs: 1 } });
      console.log('done');
      await moving.close();
    `;
    const program = new Program(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script]);
    await program.output(/^expire/m);
    relay.latest.send([25, 3_000_000]);
    expect(await program.finished).toMatchObject({
      code: 0,
      stdout: 'expire\naborted aborted\ndone\n',
      stderr: '',
    });
  });
});

describe('coming back', () => {
  it('leaves one connection when the relay refuses all at once for its rate, and attaches all of it in time', async () => {
    const relay = await startTestRelay({ limits: { framesPerSecond: 200 } });
    const sockets: WebSocket[] = [];
    const client = await join(relay, { token: () => relay.mint(), ...watched(sockets) });
    const channels = [];
    for (let i = 0; i < 50; i++) {
      const attached = client.channel(`room.${i}`, { plaintext: true, echo: true }).catch(() => undefined);
      channels.push((await attached) ?? (await attachedLater(client, `room.${i}`)));
    }
    const away = back(client);
    sockets.at(-1)?.terminate();
    await away;
    const heard = channels.map(listenTo);
    for (const channel of channels) await publishedLater(channel);
    await until(() => heard.filter(({ texts }) => texts.length > 0).length).toBe(50);
    expect(sockets.filter(({ readyState }) => readyState === WebSocket.OPEN)).toHaveLength(1);
    expect(sockets).toHaveLength(2);
  });

  it('holds one connection only, whatever the relay answers to what it asks', async () => {
    const relay = await start(
      butFor((frame) => (frame[0] === 6 ? [21, frame[1], 429, 'too_fast', 'slowly', null] : undefined)),
    );
    const sockets: WebSocket[] = [];
    const client = await join(relay, watched(sockets));
    await client.channel('room', { plaintext: true });
    const returned = back(client);
    sockets[0]?.terminate();
    await returned;
    expect(sockets.map(({ readyState }) => readyState)).toEqual([WebSocket.CLOSED, WebSocket.OPEN]);
  });

  it('says of a channel that was refused why nothing can be published, and attaches it when that has passed', async () => {
    let refusals = 0;
    const relay = await start(
      butFor((frame) =>
        frame[0] === 2 && relay.connections.length > 1 && refusals++ === 0
          ? [21, frame[1], 429, 'too_fast', 'slowly', null]
          : undefined,
      ),
    );
    const client = await join(relay);
    const channel = await client.channel('room', { plaintext: true, maxUnsent: 5 });
    const errors: string[] = [];
    channel.on('error', ({ code }) => errors.push(code));
    const returned = back(client);
    relay.latest.socket.terminate();
    await returned;
    await expect(channel.publish('x')).rejects.toMatchObject({ code: 'too_fast', status: 429 });
    await until(() => typesOf(relay.latest)).toEqual([2, 6, 2]);
    await client.flush();
    await channel.publish('y');
    expect(errors).toEqual(['too_fast']);
  });

  it('sends what was kept in the order of publishing, ahead of the flush behind it', async () => {
    const relay = await start();
    const sockets: WebSocket[] = [];
    const client = await join(relay, watched(sockets));
    const channel = await client.channel('room', { key, maxUnsent: 10 });
    const publish = (label: string): Promise<void> => channel.publish('', { envelope: Buffer.from(label) });
    const away = new Promise<void>((resolve) => {
      client.on('reconnecting', () => {
        publish('second');
        resolve();
      });
    });
    sockets[0]?.terminate();
    const first = publish('first'); // still being encrypted when the connection is found to be gone
    await away;
    await publish('third');
    await first;
    await until(() => client.isConnected).toBe(true);
    await client.flush();
    const labels = relay.latest.frames.flatMap((frame) =>
      frame[0] === 4 ? [Buffer.from(frame[4] as Uint8Array).toString()] : [],
    );
    expect(labels).toEqual(['first', 'second', 'third']);
  });
});

describe('what a hostile relay sends', () => {
  it('cannot have a loss told ahead of the messages before it by a name that breaks the rules', async () => {
    const relay = await start();
    const [writer, reader] = [await join(relay), await join(relay)];
    await (await writer.channel('a.good', { key })).publish('one');
    await writer.flush();
    const body = relay.connections[0]?.frames.find(([type]) => type === 4)?.[5] as Uint8Array;
    const sealed = message(100, body);
    sealed.writeBigUInt64BE(1n, 8);
    sealed.writeUInt32BE(7, 17);
    const channel = await reader.channel('a.*', { key });
    const told: unknown[] = [];
    channel.on('error', ({ code }) => told.push(code));
    channel.on('loss', ({ count }) => told.push(count));
    channel.on('message', ({ text }) => told.push(text));
    relay.connections[1]?.send([27, 99, 'a.\u00fc', 0], stamped(99, 'x', 1));
    await reader.flush();
    relay.connections[1]?.send([27, 100, 'a.good', 0], sealed, [22, 100, 5, 0]);
    await reader.flush();
    await until(() => told).toEqual(['one', 4]);
  });

  it('cannot push out what a pattern remembers, and so cannot replay', async () => {
    const relay = await start();
    const [writer, reader] = [await join(relay), await join(relay)];
    await (await writer.channel('room.a', { key })).publish('pay once');
    await writer.flush();
    const [from, to] = relay.connections;
    const body = from?.frames.find(([type]) => type === 4)?.[5] as Uint8Array;
    const honest = message(100, body);
    honest.writeUInt32BE(7, 17);
    const at = (seq: number): Buffer => {
      const bytes = Buffer.from(honest);
      bytes.writeBigUInt64BE(BigInt(seq), 8);
      return bytes;
    };
    const heard = listenTo(await reader.channel('room.*', { key }));
    to?.send([27, 100, 'room.a', 0], at(1), at(2));
    await until(() => heard.refused).toEqual(['replayed']);
    for (let i = 0; i < 5000; i++) {
      const forged = message(1000 + i, body);
      forged.writeBigUInt64BE(1n, 8);
      forged.writeUInt32BE(7, 17);
      to?.send([27, 1000 + i, `room.x${i}`, 0], forged);
    }
    to?.send(at(3));
    await until(() => heard.refused.length).toBe(5002);
    expect([heard.texts, heard.refused.at(-1)]).toEqual([['pay once'], 'replayed']);
  });

  it('cannot make a member repeat itself without end by a count of members', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { key, presence: true });
    await channel.presence.enter('alice');
    relay.latest.send([24, 5, 2 ** 40]);
    await until(() => channel.presence.occupancy).toBe(2 ** 40);
    for (let i = 0; i < 20; i++) await client.flush();
    expect(typesOf(relay.latest).filter((type) => type === 4)).toHaveLength(2); // WHO and HERE
  });

  it('cannot make a renewal try many times at once', async () => {
    const relay = await start(
      butFor((frame) => (frame[0] === 5 ? [21, frame[1], 403, 'forbidden', 'no', null] : undefined)),
    );
    const client = await join(relay, { backoff: { firstMs: 100_000, maxMs: 100_000 } });
    const errors: string[] = [];
    client.on('error', ({ code }) => errors.push(code));
    relay.latest.send(...same([25, 1_000_000], 500));
    await until(() => errors).toEqual(['forbidden']);
    await client.flush();
    expect(typesOf(relay.latest)).toEqual([5, 6]);
  });

  it('cannot tell a loss that its own numbers contradict', async () => {
    const relay = await start();
    const client = await join(relay);
    const heard = listenTo(await client.channel('room', { plaintext: true }));
    relay.latest.send([22, 5, 100, 90], [22, 5, 50, 0], [22, 5, 100, 100], [22, 5, 101, 90]);
    await client.flush();
    expect(heard.losses.map(({ count, firstSeq, lastSeq }) => [count, firstSeq, lastSeq])).toEqual([
      [10, 1, 100],
      [1, 101, 101],
    ]);
  });

  it('cannot change the envelope under a message, nor can the app after publishing', async () => {
    const relay = await start();
    const client = await join(relay);
    const channel = await client.channel('room', { key });
    const envelope = Uint8Array.of(1, 2, 3);
    const publishing = channel.publish('x', { envelope });
    envelope.fill(9);
    await publishing;
    await client.flush();
    expect(relay.latest.frames.find(([type]) => type === 4)?.[4]).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('sees a long token whole', async () => {
    const token = 'x'.repeat(70_000);
    const relay = await startTestRelay();
    await expect(connect(relay.url, { token })).rejects.toMatchObject({ code: 'token_invalid', closeCode: 4503 });
  });
});

/** How often something is tried where the relay counts. */
const SLOWLY = { timeout: 20_000, interval: 250 };

/** Attaches once the relay's rate permits it. */
async function attachedLater(client: Relay, name: string) {
  let channel: Awaited<ReturnType<Relay['channel']>> | undefined;
  const attach = async (): Promise<boolean> => {
    channel ??= await client.channel(name, { plaintext: true, echo: true }).catch(() => undefined);
    return channel !== undefined;
  };
  await expect.poll(attach, SLOWLY).toBe(true);
  if (channel === undefined) throw new Error('not attached');
  return channel;
}

/** Publishes until it comes back: the relay's rate may refuse it, and the channel may not be attached again yet. */
async function publishedLater(channel: Awaited<ReturnType<Relay['channel']>>): Promise<void> {
  let isBack = false;
  channel.on('message', () => {
    isBack = true;
  });
  const publish = async (): Promise<boolean> => {
    if (!isBack) await channel.publish('here').catch(() => {});
    return isBack;
  };
  await expect.poll(publish, SLOWLY).toBe(true);
}

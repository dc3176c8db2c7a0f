import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  ChannelCipher,
  ChannelKey,
  type ConnectOptions,
  connect,
  KeyRing,
  MayflyError,
  type Message,
  type Relay,
} from '../../../src/client/node.ts';
import { message } from '../../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../../support/relay.ts';

/** Resolves with the next event that `subscribe` hears; every wait has vitest's bound. */
function next<T>(subscribe: (listener: (event: T) => void) => () => void): Promise<T> {
  return new Promise((resolve) => {
    const off = subscribe((event) => {
      off();
      resolve(event);
    });
  });
}

describe('the SDK', () => {
  let relay: TestRelay;
  const open: Relay[] = [];
  beforeEach(async () => {
    relay = await startTestRelay();
  });
  afterEach(async () => {
    for (const client of open.splice(0)) client.close();
    await stopRelays();
  });

  async function client(options: Partial<ConnectOptions> = {}): Promise<Relay> {
    const connected = await connect(relay.url, {
      token: () => relay.mint(),
      backoff: { firstMs: 20, maxMs: 200 },
      ...options,
    });
    open.push(connected);
    return connected;
  }

  it('delivers encrypted messages in order to a loop, and the relay sees none of the text', async () => {
    const key = ChannelKey.random();
    const [alice, bob, spy] = [await client(), await client(), await relay.connect()];
    const reading = await bob.channel('room', { key, modes: 'r' });
    const writing = await alice.channel('room', { key, modes: 'w' });
    await spy.attach('room', 1);
    const texts: string[] = [];
    const loop = (async () => {
      for await (const { text, envelope } of reading) {
        texts.push(text);
        if (texts.length === 50) return envelope;
      }
      return null;
    })();
    for (let i = 0; i < 50; i++) writing.publish(`secret ${i}`, { envelope: new Uint8Array([i]) });
    expect(await loop).toEqual(new Uint8Array([49]));
    expect(texts).toEqual(Array.from({ length: 50 }, (_, i) => `secret ${i}`));
    await spy.until(() => spy.messages().length === 50, 'the same frames');
    expect(spy.bodies().join()).not.toContain('secret');
  });

  it('sends what one tick publishes as one WebSocket message', async () => {
    const writer = await client();
    const channel = await writer.channel('batch', { plaintext: true, modes: 'w' });
    const before = Number(/^mayfly_frames_received_total (\d+)/m.exec(await relay.metrics())?.[1]);
    for (let i = 0; i < 10; i++) channel.publish('x');
    await writer.flush();
    const after = Number(/^mayfly_frames_received_total (\d+)/m.exec(await relay.metrics())?.[1]);
    expect(after - before).toBe(11);
  });

  it('asks for a key, or for the word plaintext', async () => {
    const writer = await client();
    await expect(writer.channel('room', {} as never)).rejects.toMatchObject({ code: 'key_required' });
    await expect(writer.channel('room', { key: ChannelKey.random(), plaintext: true } as never)).rejects.toMatchObject({
      code: 'key_required',
    });
  });

  it('delivers neither injected plaintext nor what another key sealed, says why, and goes on', async () => {
    const key = ChannelKey.random();
    const [alice, bob, mallory, intruder] = [await client(), await client(), await client(), await relay.connect()];
    const reading = await bob.channel('room', { key });
    const heard: Message[] = [];
    reading.on('message', (got) => heard.push(got));
    const refused: string[] = [];
    reading.on('refused', ({ reason }) => refused.push(reason));
    const { channelId } = await intruder.attach('room', 2);
    intruder.send(message(channelId, 'injected'));
    await intruder.flush();
    await (await mallory.channel('room', { key: ChannelKey.random(), modes: 'w' })).publish('forged');
    await mallory.flush();
    const first = next<Message>((listener) => reading.on('message', listener));
    await (await alice.channel('room', { key, modes: 'w' })).publish('true');
    expect((await first).text).toBe('true');
    expect(heard.map(({ text }) => text)).toEqual(['true']);
    expect(refused).toEqual(['not_encrypted', 'not_authentic']);
  });

  it('takes what a server sealed for HTTP, once, and nothing that the server did not seal', async () => {
    const ring = new KeyRing(ChannelKey.random());
    const reading = await (await client()).channel('room', { key: ring, modes: 'r' });
    const [texts, refused]: [unknown[], string[]] = [[], []];
    reading.on('message', ({ text, sender }) => texts.push([text, sender]));
    reading.on('refused', ({ reason }) => refused.push(reason));
    const token = await relay.mint();
    const post = (body: Uint8Array<ArrayBuffer>): Promise<Response> =>
      fetch(`${relay.httpUrl}/v1/channels/room/messages`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/octet-stream' },
        body,
      });
    const cipher = new ChannelCipher({ channel: 'room', ring });
    cipher.begin(0);
    const body = Uint8Array.from(await cipher.seal('message', new TextEncoder().encode('by HTTP')));
    for (const each of [body, body, new TextEncoder().encode('in clear')]) expect((await post(each)).status).toBe(202);
    await expect.poll(() => refused).toEqual(['replayed', 'not_encrypted']);
    expect(texts).toEqual([['by HTTP', 0]]);
  });

  it('rotates a key without losing a message', async () => {
    const [first, second] = [ChannelKey.random(), ChannelKey.random()];
    const [writerRing, readerRing] = [new KeyRing(first), new KeyRing(first)];
    const [alice, bob] = [await client(), await client()];
    const reading = await bob.channel('room', { key: readerRing, modes: 'r' });
    const writing = await alice.channel('room', { key: writerRing, modes: 'w' });
    const texts: string[] = [];
    reading.on('refused', ({ reason }) => texts.push(reason));
    const done = new Promise<void>((resolve) => {
      reading.on('message', ({ text }) => {
        if (texts.push(text) === 200) resolve();
      });
    });
    for (let i = 0; i < 200; i++) {
      if (i === 100) readerRing.prepare(second);
      if (i === 120) writerRing.rotate(second);
      if (i === 160) readerRing.rotate(second);
      await writing.publish(`${i}`);
    }
    await done;
    expect(texts).toEqual(Array.from({ length: 200 }, (_, i) => `${i}`));
  });

  it('reconnects, attaches again, and tells exactly what was missed', async () => {
    const key = ChannelKey.random();
    const writer = await client();
    const writing = await writer.channel('room', { key, modes: 'w' });
    const cuts: { close: () => void }[] = [];
    const bob = await client({
      socket: (url, protocol) => {
        const socket = new WebSocket(url, protocol);
        cuts.push({ close: () => socket.terminate() });
        return socket as never;
      },
    });
    const reading = await bob.channel('room', { key, modes: 'r' });
    const texts: string[] = [];
    reading.on('message', ({ text }) => texts.push(text));
    await writing.publish('before');
    await expect.poll(() => texts).toEqual(['before']);
    const away = next((listener) => bob.on('reconnecting', listener));
    const back = next((listener) => bob.on('reconnected', listener));
    const losses: (number | null)[] = [];
    reading.on('loss', ({ count }) => losses.push(count));
    cuts[0]?.close();
    await away;
    for (let i = 0; i < 7; i++) await writing.publish('missed');
    await writer.flush();
    expect(await back).toEqual({ isSameRelay: true });
    await writing.publish('after');
    await expect.poll(() => texts.at(-1)).toBe('after');
    const heard = texts.filter((text) => text === 'missed').length;
    expect(heard + losses.reduce<number>((sum, count) => sum + (count ?? Number.NaN), 0)).toBe(7);
  });

  it('renews its token ahead of expiry, and the connection lasts beyond it', async () => {
    let minted = 0;
    const token = (): Promise<string> =>
      relay.mint({ exp: Math.floor(Date.now() / 1000) + (minted++ === 0 ? 3 : 3600) });
    const renewing = await client({ token });
    const channel = await renewing.channel('room', { plaintext: true, echo: true });
    const { expiry } = await next<{ expiry: number }>((listener) => renewing.on('renewed', listener));
    expect(expiry).toBeGreaterThan(Date.now() / 1000 + 3000);
    const heard = next<Message>((listener) => channel.on('message', listener));
    await channel.publish('still here');
    expect((await heard).text).toBe('still here');
    expect(minted).toBe(2);
  });

  it('ends for good when a token that cannot be renewed has expired', async () => {
    const token = await relay.mint({ exp: Math.floor(Date.now() / 1000) + 1 });
    const ending = await client({ token });
    const channel = await ending.channel('room', { plaintext: true });
    const loop = (async () => {
      for await (const _ of channel);
      return 'over';
    })();
    const { error } = await next<{ error: MayflyError }>((listener) => ending.on('closed', listener as never));
    expect(error).toMatchObject({ closeCode: 4001 });
    expect(await loop).toBe('over');
    await expect(ending.flush()).rejects.toMatchObject({ code: 'closed' });
  });

  it('fails to connect with the code of what went wrong', async () => {
    await expect(connect(relay.url, { token: 'junk' })).rejects.toMatchObject({
      code: 'token_invalid',
      status: 403,
      closeCode: 4503,
    });
    await expect(connect(relay.url, { token: () => Promise.reject(new Error('no')) })).rejects.toMatchObject({
      code: 'token_failed',
    });
    await expect(connect('ws://127.0.0.1:1', { token: 'x' })).rejects.toMatchObject({ code: 'connection_failed' });
    await expect(connect('not a URL', { token: 'x' })).rejects.toMatchObject({ code: 'connection_failed' });
    await expect(connect('ftp://127.0.0.1', { token: 'x' })).rejects.toMatchObject({ code: 'connection_failed' });
    await expect(connect(relay.url, { token: 'x', signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  it('never puts a token in a URL, nor on a network in clear', async () => {
    for (const url of [
      `${relay.url}?token=x`,
      relay.url.replace('ws://', 'ws://user:secret@'),
      relay.url.replace('ws://', 'ws://:secret@'),
      'ws://relay.example',
    ])
      await expect(connect(url, { token: 'x' })).rejects.toMatchObject({ code: 'insecure_url' });
    const asked: string[] = [];
    const socket = (url: string): never => {
      asked.push(url);
      throw new Error('no network in this test');
    };
    for (const url of ['ws://127.0.0.9:1', 'ws://[::1]:1', 'http://localhost:1', 'https://relay.example/v1/ws#x'])
      await expect(connect(url, { token: 'x', socket })).rejects.toMatchObject({ code: 'connection_failed' });
    await expect(connect('ws://relay.example', { token: 'x', socket, insecure: true })).rejects.toBeInstanceOf(
      MayflyError,
    );
    expect(asked.map((url) => new URL(url).href)).toEqual([
      'ws://127.0.0.9:1/',
      'ws://[::1]:1/',
      'ws://localhost:1/',
      'wss://relay.example/v1/ws',
      'ws://relay.example/',
    ]);
  });

  it('tells a refusal of a channel or a message with the code of the relay', async () => {
    const reader = await client({ token: () => relay.mint({ can: { 'room.*': 'r', 'in.*': 'w' } }) });
    await expect(reader.channel('room.a', { plaintext: true })).rejects.toMatchObject({
      code: 'forbidden',
      status: 403,
    });
    await expect(reader.channel('not a name', { plaintext: true })).rejects.toMatchObject({
      code: 'bad_channel',
      status: 400,
    });
    const writing = await reader.channel('in.a', { plaintext: true, modes: 'w' });
    await expect(writing.publish(new Uint8Array(70_000))).rejects.toMatchObject({
      code: 'frame_too_large',
      status: 413,
    });
  });

  it('publishes nothing without a connection, unless asked to keep some, which then arrives', async () => {
    const sockets: WebSocket[] = [];
    const writer = await client({
      socket: (url, protocol) => {
        const socket = new WebSocket(url, protocol);
        sockets.push(socket);
        return socket as never;
      },
    });
    const key = ChannelKey.random();
    const reading = await (await client()).channel('b', { key, modes: 'r' });
    const texts: string[] = [];
    reading.on('message', ({ text }) => texts.push(text));
    const strict = await writer.channel('a', { key, modes: 'w' });
    const patient = await writer.channel('b', { key, modes: 'w', maxUnsent: 2 });
    const away = next((listener) => writer.on('reconnecting', listener));
    sockets[0]?.terminate();
    await away;
    await expect(strict.publish('x')).rejects.toMatchObject({ code: 'not_connected' });
    await patient.publish('one');
    await patient.publish('two');
    await expect(patient.publish('three')).rejects.toMatchObject({ code: 'buffer_full' });
    await expect.poll(() => texts).toEqual(['one', 'two']);
  });
});

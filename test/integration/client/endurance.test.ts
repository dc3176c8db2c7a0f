import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import {
  ChannelKey,
  type ConnectOptions,
  connect,
  KeyRing,
  type Message,
  type Relay,
} from '../../../src/client/node.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../../support/relay.ts';
import { listenTo, same, until } from './support.ts';

const CONNECTIONS = 10;
const RENEWALS_EACH = 100;
const RECONNECTS = 100;
const ROTATIONS = 20;
const MEMBERS = 3;
const MESSAGES = 2000;

describe('the SDK under load', () => {
  let relay: TestRelay;
  const open: Relay[] = [];
  beforeEach(async () => {
    relay = await startTestRelay();
  });
  afterEach(async () => {
    for (const client of open.splice(0)) client.close();
    await stopRelays();
  });

  async function join(options: Partial<ConnectOptions> = {}): Promise<Relay> {
    const client = await connect(relay.url, { token: () => relay.mint(), ...options });
    open.push(client);
    return client;
  }

  it('renews 1,000 tokens over 10 connections and loses, repeats and swaps no message meanwhile', async () => {
    const key = ChannelKey.random();
    const wrong: unknown[] = [];
    let minted = 0;
    const token = (): Promise<string> => {
      const can = ++minted % 2 === 0 ? { '>': 'rw' } : { room: 'rw' };
      return relay.mint({ can, exp: Math.floor(Date.now() / 1000) + 3600 + minted });
    };
    const members = await Promise.all(
      Array.from({ length: CONNECTIONS }, async () => {
        const client = await join({ token });
        const channel = await client.channel('room', { key });
        const expiries: number[] = [];
        client.on('renewed', ({ expiry }) => expiries.push(expiry));
        for (const name of ['error', 'reconnecting'] as const) client.on(name, (event) => wrong.push(event));
        channel.on('error', (error) => wrong.push(error));
        return { client, channel, expiries, heard: listenTo(channel) };
      }),
    );
    const sent = await Promise.all(
      members.map(async ({ client, channel }, name) => {
        const texts = Array.from({ length: RENEWALS_EACH * 3 }, (_, i) => `${name}:${i}`);
        for (let i = 0; i < texts.length; i += 3) {
          channel.publish(texts[i] as string);
          const renewing = client.renew();
          channel.publish(texts[i + 1] as string);
          await renewing;
          await channel.publish(texts[i + 2] as string);
        }
        return texts;
      }),
    );
    const total = RENEWALS_EACH * 3 * (CONNECTIONS - 1);
    await until(() => members.map(({ heard }) => heard.texts.length)).toEqual(same(total, CONNECTIONS));
    for (const [me, { heard, expiries }] of members.entries()) {
      for (const [name, texts] of sent.entries()) {
        expect(heard.texts.filter((text) => text.startsWith(`${name}:`))).toEqual(name === me ? [] : texts);
      }
      expect(isAscending(heard.messages)).toBe(true);
      expect([heard.refused, heard.losses]).toEqual([[], []]);
      expect(new Set(expiries).size).toBe(RENEWALS_EACH);
    }
    expect([minted, wrong]).toEqual([CONNECTIONS * (RENEWALS_EACH + 1), []]);
  });

  it('comes back 100 times, repeats and swaps nothing, and what it heard and what it lost make up all there was', async () => {
    const key = ChannelKey.random();
    const writer = await join();
    const writing = await writer.channel('room', { key, modes: 'w' });
    const sockets: WebSocket[] = [];
    let isCutting = true;
    const reader = await join({
      backoff: { firstMs: 1, maxMs: 5 },
      socket: (url, protocol) => {
        const socket = new WebSocket(url, protocol);
        sockets.push(socket);
        // Of the connections that come back, some break ahead of WELCOME, some while the channel is being attached.
        const cut = (): unknown => isCutting && socket.terminate();
        if (sockets.length % 5 === 2) socket.on('open', cut);
        if (sockets.length % 5 === 4) socket.once('message', () => setImmediate(cut));
        return socket as never;
      },
    });
    const reading = await reader.channel('room', { key, modes: 'r' });
    const heard = listenTo(reading);
    const returns: boolean[] = [];
    reader.on('reconnected', ({ isSameRelay }) => returns.push(isSameRelay));

    let published = 0;
    let isFlowing = true;
    const flowing = (async () => {
      while (isFlowing) {
        for (let i = 0; i < 5; i++) writing.publish(`${++published}`);
        await writer.flush();
      }
    })();
    for (let i = 1; i <= RECONNECTS; i++) {
      const before = heard.texts.length;
      if (i % 2 === 0) await until(() => heard.texts.length).toBeGreaterThan(before);
      sockets.at(-1)?.terminate();
      await until(() => returns.length).toBeGreaterThanOrEqual(i);
    }
    isCutting = false;
    await until(() => sockets.at(-1)?.readyState).toBe(WebSocket.OPEN);
    const mark = published;
    await until(() => heard.messages.at(-1)?.seq).toBeGreaterThan(mark);
    isFlowing = false;
    await flowing;
    await until(() => heard.messages.at(-1)?.seq).toBe(published);

    expect(heard.texts).toEqual(heard.messages.map(({ seq }) => `${seq}`));
    expect(isAscending(heard.messages)).toBe(true);
    const lost = heard.losses.map(({ count }) => count ?? Number.NaN).reduce((sum, count) => sum + count, 0);
    expect(lost).toBeGreaterThan(0);
    expect(heard.texts.length + lost).toBe(published);
    expect(heard.refused).toEqual([]);
    expect(new Set(heard.losses.map(({ cause }) => cause))).toEqual(new Set(['reconnect']));
    expect(returns).toEqual(same(true, returns.length));
  });

  it('rotates keys 20 times under load and refuses nothing where every member prepared before any rotated', async () => {
    const first = ChannelKey.random();
    const spy = await relay.connect();
    await spy.attach('room', 1);
    const members = await Promise.all(
      Array.from({ length: MEMBERS }, async () => {
        const ring = new KeyRing(first);
        const client = await join();
        const channel = await client.channel('room', { key: ring });
        return { client, ring, channel, heard: listenTo(channel) };
      }),
    );
    const step = MESSAGES / ROTATIONS;
    const sent = members.map((): string[] => []);
    let next = first;
    for (let i = 0; i < MESSAGES; i++) {
      const [round, at] = [Math.floor(i / step), i % step];
      // All prepare, one after the other; then all rotate, each time another first. Frames are under way all along.
      if (at === 0) next = ChannelKey.random();
      if (at < 30 && at % 10 === 0) members[at / 10]?.ring.prepare(next);
      if (at >= 40 && at % 20 === 0) members[(at / 20 + round) % MEMBERS]?.ring.rotate(next);
      const from = i % MEMBERS;
      members[from]?.channel.publish(`${from}:${i}`);
      sent[from]?.push(`${from}:${i}`);
      if (i % 7 === 0) await members[from]?.client.flush();
    }
    for (const [me, { heard, ring }] of members.entries()) {
      await until(() => heard.texts.length).toBe(MESSAGES - (sent[me]?.length ?? 0));
      for (const [from, texts] of sent.entries()) {
        expect(heard.texts.filter((text) => text.startsWith(`${from}:`))).toEqual(from === me ? [] : texts);
      }
      expect([heard.refused, heard.losses, ring.generation]).toEqual([[], [], ROTATIONS]);
    }
    await spy.until(() => spy.messages().length >= MESSAGES, 'every frame'); // and what the SDK sends of its own accord
    const generations = new Set(spy.messages().map((frame) => generationOf(frame[5] as Uint8Array)));
    expect([...generations]).toEqual(expect.arrayContaining([...Array(ROTATIONS + 1).keys()]));
  });
});

function isAscending(messages: readonly Message[]): boolean {
  return messages.every(({ seq }, i) => i === 0 || seq > (messages[i - 1]?.seq ?? seq));
}

/** The first of the 8 bytes of KID, which is left out where it is 0: docs/ENCRYPTION.md, section 2. */
function generationOf(body: Uint8Array): number | undefined {
  return ((body[0] ?? 0) & 0x70) === 0x70 ? body[1] : 0;
}

import { encodeFrame, encodeMessage, FrameType, Mode } from '../../src/protocol/index.ts';
import { clientFrame, Opcode } from '../load/web-socket-frames.ts';
import type { Attack } from './attacks.ts';
import { HostileSocket } from './hostile-socket.ts';
import type { Target } from './target.ts';
import { keepOpen, pause, repeated } from './tools.ts';

const NAMES_EACH = 1000;
const ATTACHES_AT_ONCE = 100;
/** Below the frames per second of a connection, where an ATTACH counts as five. */
const ATTACH_PAUSE_MS = 105;
const CONNECTIONS = 5000;
const MANY_CHANNELS = 50_000;
const READERS = 200;

/** What can be done with a token, within the limits of a tenant or over them. */
export const FRAME_ATTACKS: readonly Attack[] = [
  {
    id: 'connections',
    title: `${CONNECTIONS.toLocaleString('en-US')} connections, with the tokens of five users`,
    attack: ({ url, tokens }, ready) => {
      let count = 0;
      return keepOpen(CONNECTIONS, () => session(url, oneOf(tokens, count++)), ready);
    },
  },
  {
    id: 'messages',
    title: 'MESSAGEs to a room of 200, as fast as they are taken',
    attack: async ({ url, token }, ready) => {
      const readers = await Promise.all(Array.from({ length: READERS }, () => session(url, token)));
      for (const reader of readers) reader.send(attach(1, 'room.a', Mode.SUBSCRIBE));
      await floodWith(
        url,
        token,
        (channelId) => repeated(encodeMessage(channelId, null, new Uint8Array(16)), 16_000),
        ready,
      );
    },
  },
  {
    id: 'pings',
    title: 'PINGs of the protocol, as fast as they are taken',
    attack: ({ url, token }, ready) =>
      floodWith(url, token, () => repeated(encodeFrame([FrameType.PING, 1]), 16_000), ready),
  },
  {
    id: 'grants',
    title: 'ATTACHes with a token of 150 grants',
    attack: ({ url, grantsToken }, ready) =>
      floodWith(url, grantsToken, () => repeated(attach(1, 'nowhere.a.x.b.z', Mode.SUBSCRIBE), 16_000), ready),
  },
  {
    id: 'everything',
    title: `attaching > over ${MANY_CHANNELS.toLocaleString('en-US')} channels, again and again`,
    attack: async (target, ready) => {
      await manyChannels(target, MANY_CHANNELS);
      ready();
      for (;;) {
        const socket = await session(target.url, target.token);
        socket.send(attach(1, '>', Mode.SUBSCRIBE));
        await Promise.race([pause(300), socket.closed]);
        socket.socket.destroy();
      }
    },
  },
  {
    id: 'held',
    title: "fresh names under one's own pattern, attached and left",
    attack: async ({ url, readerToken }, ready) => {
      const pattern = await session(url, readerToken);
      pattern.send(attach(1, 'room.>', Mode.SUBSCRIBE));
      ready();
      for (let made = 0; ; ) {
        const socket = await session(url, readerToken);
        for (let i = 0; i < 10 && !socket.socket.destroyed; i++) {
          socket.send(...names(made, ATTACHES_AT_ONCE).map((name, ref) => attach(ref, name, Mode.SUBSCRIBE)));
          made += ATTACHES_AT_ONCE;
          await pause(ATTACH_PAUSE_MS);
        }
        socket.socket.destroy();
      }
    },
  },
  {
    id: 'endings',
    title: '20,000 channels that come to life and end, again and again',
    attack: async (target, ready) => {
      for (;;) {
        const all = await manyChannels(target, 20_000);
        ready();
        for (const socket of all) socket.socket.destroy();
        await pause(200);
      }
    },
  },
  {
    id: 'backlogs',
    title: '200 readers that stand still, and who writes to them',
    attack: async ({ url, token }, ready) => {
      const readers = await Promise.all(Array.from({ length: READERS }, () => session(url, token)));
      for (const reader of readers) {
        reader.send(attach(1, 'room.a', Mode.SUBSCRIBE));
        reader.socket.pause();
      }
      await floodWith(
        url,
        token,
        (channelId) => Buffer.from(encodeMessage(channelId, null, new Uint8Array(32_000))),
        ready,
      );
    },
  },
];

async function session(url: string, token: string): Promise<HostileSocket> {
  const socket = new HostileSocket(url);
  await socket.hello(token);
  return socket;
}

/** The tokens in turn. */
function oneOf(tokens: readonly string[], i: number): string {
  return tokens[i % tokens.length] ?? '';
}

function attach(ref: number, name: string, modes: number): Uint8Array {
  return encodeFrame([FrameType.ATTACH, ref, name, modes]);
}

function names(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `room.n${from + i}`);
}

/** Connections that keep this many channels alive between them. */
async function manyChannels({ url, tokens }: Target, count: number): Promise<readonly HostileSocket[]> {
  return Promise.all(
    Array.from({ length: Math.ceil(count / NAMES_EACH) }, async (_, i) => {
      const socket = await session(url, oneOf(tokens, i));
      for (let made = 0; made < NAMES_EACH; made += ATTACHES_AT_ONCE) {
        const fresh = names(i * NAMES_EACH + made, ATTACHES_AT_ONCE);
        socket.send(...fresh.map((name, ref) => attach(ref, name, Mode.SUBSCRIBE)));
        await pause(ATTACH_PAUSE_MS);
      }
      return socket;
    }),
  );
}

/** Attaches to write, and floods with the frames that `make` makes for the channel; again and again, as it will be closed for it. */
async function floodWith(
  url: string,
  token: string,
  make: (channelId: number) => Buffer,
  ready: () => void,
): Promise<void> {
  for (;;) {
    const socket = await session(url, token);
    const attached = new Promise<Buffer>((resolve) => socket.socket.once('data', resolve));
    socket.send(attach(1, 'room.a', Mode.PUBLISH));
    const answer = await Promise.race([attached, socket.closed]);
    const channelId = answer instanceof Buffer && answer.length > 9 ? answer.readUInt32BE(5) : 1;
    ready();
    await socket.flood(clientFrame(Opcode.BINARY, make(channelId)));
    await pause();
  }
}

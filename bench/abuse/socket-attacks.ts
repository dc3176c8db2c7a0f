import { clientFrame, Opcode } from '../load/web-socket-frames.ts';
import type { Attack } from './attacks.ts';
import { HostileSocket } from './hostile-socket.ts';
import { keepOpen, repeated } from './tools.ts';

const SOCKETS = 2000;
const UNFINISHED = 500;
const UNFINISHED_BYTES = 60_000;
const EMPTY_FRAGMENT = Buffer.from([0, 0x80, 0, 0, 0, 0]);
const FIRST_FRAGMENT = Buffer.from([Opcode.BINARY & 0x0f, 0x81, 0, 0, 0, 0, 0x96]);

/** What can be done without a token. */
export const SOCKET_ATTACKS: readonly Attack[] = [
  {
    id: 'silent',
    title: 'TCP connections that send nothing, from one address',
    attack: ({ url }, ready) => keepOpen(SOCKETS, async () => new HostileSocket(url), ready),
  },
  {
    id: 'no-hello',
    title: 'WebSockets without HELLO, from one address',
    attack: ({ url }, ready) =>
      keepOpen(
        SOCKETS,
        async () => {
          const socket = new HostileSocket(url);
          await socket.upgrade();
          return socket;
        },
        ready,
      ),
  },
  {
    id: 'unfinished',
    title: 'first messages that never end',
    attack: ({ url }, ready) =>
      keepOpen(
        UNFINISHED,
        async () => {
          const socket = new HostileSocket(url);
          await socket.upgrade();
          socket.socket.write(clientFrame(Opcode.BINARY, Buffer.alloc(UNFINISHED_BYTES)).subarray(0, -1));
          return socket;
        },
        ready,
      ),
  },
  {
    id: 'pongs',
    title: 'WebSocket pongs without HELLO, as fast as they are taken',
    attack: (target, ready) => flooding(target.url, repeated(clientFrame(Opcode.PONG, Buffer.alloc(0)), 65_536), ready),
  },
  {
    id: 'fragments',
    title: 'empty fragments without HELLO, as fast as they are taken',
    attack: (target, ready) => flooding(target.url, repeated(EMPTY_FRAGMENT, 65_536), ready, FIRST_FRAGMENT),
  },
];

async function flooding(url: string, bytes: Buffer, ready: () => void, first?: Buffer): Promise<void> {
  for (;;) {
    const socket = new HostileSocket(url);
    await socket.upgrade();
    socket.socket.resume();
    if (first !== undefined) socket.socket.write(first);
    ready();
    await socket.flood(bytes);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

import { Agent, request } from 'node:http';
import type { Attack } from './attacks.ts';
import { HOSTILE_ADDRESS } from './hostile-socket.ts';
import type { Target } from './target.ts';

const AT_ONCE = 50;
const BODY_BYTES = 60_000;

/** What can be done by HTTP. */
export const HTTP_ATTACKS: readonly Attack[] = [
  {
    id: 'bodies',
    title: 'POSTs of 60 kB with a token that is none',
    attack: (target, ready) =>
      posting(target, ready, () => ({
        path: '/v1/channels/room.a/messages',
        type: 'application/octet-stream',
        token: 'a.b.c',
        body: Buffer.alloc(BODY_BYTES),
      })),
  },
  {
    id: 'signatures',
    title: 'POSTs with tokens whose signature is wrong',
    attack: (target, ready) => {
      const [header, payload] = target.token.split('.');
      return posting(target, ready, (i) => ({
        path: '/v1/channels/room.a/messages',
        type: 'application/octet-stream',
        token: `${header}.${payload}.${Buffer.alloc(64, i & 0xff).toString('base64url')}`,
        body: Buffer.alloc(16),
      }));
    },
  },
  {
    id: 'revocations',
    title: 'revocations of channels, one after the other',
    attack: (target, ready) =>
      posting(target, ready, (i) => ({
        path: '/v1/revocations',
        type: 'application/json',
        token: target.revokingToken,
        body: Buffer.from(JSON.stringify({ channel: `room.r${i}` })),
      })),
  },
];

interface Post {
  readonly path: string;
  readonly type: string;
  readonly token: string;
  readonly body: Buffer;
}

async function posting({ url }: Target, ready: () => void, make: (i: number) => Post): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
  let count = 0;
  const worker = async (): Promise<void> => {
    for (;;) {
      await post(url, make(count++), agent);
      if (count === AT_ONCE * 4) ready();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

function post(url: string, { path, type, token, body }: Post, agent: Agent): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': type, 'content-length': body.length };
    const asking = request(
      { method: 'POST', host: hostname, port, localAddress: HOSTILE_ADDRESS, path, agent, headers },
      (response) => {
        response.resume().once('close', resolve);
      },
    );
    asking.once('error', () => resolve());
    asking.end(body);
  });
}

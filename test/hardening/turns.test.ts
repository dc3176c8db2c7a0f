import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

const SUBSCRIBERS = 60;
const PUBLISHERS = 60;

/** An HTTP connection that publishes to a channel, and waits for each answer. */
async function publisher(relay: TestRelay, channel: string, token: string) {
  const { hostname, port } = new URL(relay.httpUrl);
  const socket: Socket = connect(Number(port), hostname);
  const request = `POST /v1/channels/${channel}/messages HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/octet-stream\r\nContent-Length: 1\r\n\r\nx`;
  return {
    socket,
    publish: () =>
      new Promise<string>((resolve, reject) => {
        socket.once('data', (data) => resolve(data.toString().slice(9, 12)));
        socket.once('error', reject);
        socket.write(request);
      }),
  };
}

describe('publishes by HTTP', () => {
  afterEach(stopRelays);

  it('have their tenant’s part of a turn, and no more: another tenant is served in between', async () => {
    const relay = await startTestRelay();
    const channels = Array.from({ length: PUBLISHERS }, (_, i) => `room.${i}`);
    for (let i = 0; i < SUBSCRIBERS; i++) {
      const subscriber = await relay.connect({ sub: `s${i}` });
      subscriber.onMessage = () => {};
      subscriber.send(...channels.map((channel, ref) => [2, ref + 1000, channel, 1]));
      await subscriber.flush();
    }
    const other = await relay.connect({ iss: 'globex' });
    await other.flush();
    const token = await relay.mint({ sub: 'server' });
    const publishers = await Promise.all(channels.map((channel) => publisher(relay, channel, token)));
    try {
      for (const { publish } of publishers) expect(await publish()).toBe('202'); // connected, and the token is known
      const answered: string[] = [];
      const publishing = publishers.map(async ({ publish }) => answered.push(await publish()));
      await other.flush().then(() => answered.push('other'));
      await Promise.all(publishing);
      expect(answered.filter((each) => each === '202')).toHaveLength(PUBLISHERS);
      expect(answered.indexOf('other')).toBeLessThan(PUBLISHERS / 2);
    } finally {
      for (const { socket } of publishers) socket.destroy();
    }
  });
});

describe('what one user sends over many connections', () => {
  afterEach(stopRelays);

  it.each([
    ['one large message each', 1],
    ['many small messages each', 500],
  ])('in %s lets others of the tenant be served in between', async (_, messages) => {
    const relay = await startTestRelay();
    const honest = await relay.connect({ sub: 'honest' });
    const flooders = await Promise.all(Array.from({ length: 20 }, () => relay.connect({ sub: 'mallory' })));
    const ids = await Promise.all(flooders.map((flooder) => flooder.attach('flood', 2)));
    await honest.flush();
    const frame = message(ids[0]?.channelId ?? 0, '');
    const part = Array.from({ length: 1000 / messages }, () => frame);
    const order: string[] = [];
    const flooding = flooders.map(async (flooder) => {
      for (let i = 0; i < messages; i++) flooder.send(...part);
      const half = flooder.flush();
      for (let i = 0; i < messages; i++) flooder.send(...part);
      await half;
      order.push('flooder');
      await flooder.flush();
    });
    await honest.flush().then(() => order.push('honest'));
    await Promise.all(flooding);
    expect(order).toHaveLength(21);
    expect(order.indexOf('honest')).toBeLessThan(3);
  });
});

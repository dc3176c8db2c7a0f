import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ChannelKey, type ConnectOptions, connect, type Relay } from '../../../src/client/node.ts';
import { ScriptedRelay } from '../../support/scripted-relay.ts';
import { until } from './support.ts';

describe('a socket that gets stuck', () => {
  const key = ChannelKey.random();
  const clients: Relay[] = [];
  let relay: ScriptedRelay;
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await relay.stop();
  });

  async function join(options: Partial<ConnectOptions> = {}): Promise<Relay> {
    relay = await ScriptedRelay.start();
    const client = await connect(relay.url, { token: 'token', backoff: { firstMs: 1, maxMs: 5 }, ...options });
    clients.push(client);
    return client;
  }

  it('is given up when it throws, be it at a message or a PING, and another carries on', async () => {
    let isBroken = false;
    const client = await join({
      socket: (url, protocol) => {
        const socket = new WebSocket(url, protocol);
        const send = socket.send.bind(socket);
        socket.send = (data: Uint8Array) => {
          if (isBroken) throw new Error('out of order');
          send(data);
        };
        return socket as never;
      },
    });
    const channel = await client.channel('room', { key, maxUnsent: 1 });
    const breakDuring = async (act: () => unknown): Promise<void> => {
      const back = new Promise((resolve) => client.on('reconnected', resolve));
      isBroken = true;
      const acting = Promise.resolve(act()).catch(({ code }: { code: string }) => code);
      await until(() => client.state).not.toBe('connected');
      isBroken = false;
      expect([undefined, 'not_connected']).toContain(await acting);
      await back;
    };
    await breakDuring(() => channel.publish('kept'));
    await client.flush();
    expect(relay.latest.frames.filter(([type]) => type === 4)).toHaveLength(1);
    await breakDuring(() => client.flush());
    await breakDuring(() => client.check());
    await channel.publish('goes');
    await client.flush();
    expect(relay.connections).toHaveLength(4);
  });

  it('does not keep the program from closing, though the relay goes on talking', async () => {
    const client = await join({ keepAliveMs: 100 });
    const channel = await client.channel('room', { key });
    const { socket } = relay.latest;
    socket.pause();
    const talk = setInterval(() => relay.latest.send([20, 0]), 10);
    const publishing = Array.from({ length: 200 }, () => channel.publish(new Uint8Array(60_000)).catch(() => {}));
    await Promise.all([client.close(), ...publishing]);
    clearInterval(talk);
    expect(client.state).toBe('closed');
    socket.resume();
  });
});

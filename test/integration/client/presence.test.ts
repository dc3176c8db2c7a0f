import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ChannelKey, type ConnectOptions, connect, type Presence, type Relay } from '../../../src/client/node.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../../support/relay.ts';

describe('presence in the SDK', () => {
  let relay: TestRelay;
  const open: Relay[] = [];
  const key = ChannelKey.random();
  beforeEach(async () => {
    relay = await startTestRelay();
  });
  afterEach(async () => {
    for (const client of open.splice(0)) client.close();
    await stopRelays();
  });

  async function join(
    name: string | null,
    options: Partial<ConnectOptions> = {},
  ): Promise<{ presence: Presence; log: string[]; relay: Relay }> {
    const client = await connect(relay.url, { token: () => relay.mint(), backoff: { firstMs: 10 }, ...options });
    open.push(client);
    const { presence } = await client.channel('room', { key, presence: true });
    const log: string[] = [];
    for (const event of ['join', 'update', 'leave'] as const)
      presence.on(event, ({ text }) => log.push(`${event} ${text}`));
    if (name !== null) await presence.enter(name);
    return { presence, log, relay: client };
  }

  const names = ({ presence }: { presence: Presence }): string[] => presence.members.map(({ text }) => text).sort();

  it('tells newcomers who is there, and those who are there of newcomers', async () => {
    const alice = await join('alice');
    const bob = await join('bob');
    const watcher = await join(null);
    await expect.poll(() => [names(alice), names(bob), names(watcher)]).toEqual([['bob'], ['alice'], ['alice', 'bob']]);
    await expect.poll(() => alice.presence.occupancy).toBe(3);
    expect(alice.log).toEqual(['join bob']);
  });

  it('tells changes, leaving, and a connection that breaks', async () => {
    const alice = await join('alice');
    const bob = await join('bob');
    await expect.poll(() => names(alice)).toEqual(['bob']);
    await bob.presence.enter('bob, typing');
    await expect.poll(() => names(alice)).toEqual(['bob, typing']);
    await bob.presence.leave();
    await expect.poll(() => names(alice)).toEqual([]);
    await bob.presence.enter('bob');
    await expect.poll(() => names(alice)).toEqual(['bob']);
    bob.relay.close();
    await expect.poll(() => names(alice)).toEqual([]);
    expect(alice.log).toEqual(['join bob', 'update bob, typing', 'leave bob, typing', 'join bob', 'leave bob']);
  });

  it('comes back under another id after a reconnect', async () => {
    const sockets: WebSocket[] = [];
    const alice = await join('alice');
    const bob = await join('bob', {
      socket: (url, protocol) => {
        const socket = new WebSocket(url, protocol);
        sockets.push(socket);
        return socket as never;
      },
    });
    await expect.poll(() => names(alice)).toEqual(['bob']);
    const [before] = alice.presence.members;
    sockets[0]?.terminate();
    await expect.poll(() => alice.log).toEqual(['join bob', 'leave bob', 'join bob']);
    expect(alice.presence.members[0]?.sender).not.toBe(before?.sender);
    await expect.poll(() => names(bob)).toEqual(['alice']);
  });

  it('shows the relay and other readers no name', async () => {
    const spy = await relay.connect();
    await spy.attach('room', 1 | 4);
    await join('alice in plain sight');
    await spy.until(() => spy.messages().length >= 2, 'WHO and HERE');
    for (const frame of spy.messages()) {
      expect(Buffer.from(frame[5] as Uint8Array).toString('latin1')).not.toContain('alice');
    }
  });

  it('is refused without a key', async () => {
    const client = await connect(relay.url, { token: () => relay.mint() });
    open.push(client);
    await expect(client.channel('room', { plaintext: true, presence: true } as never)).rejects.toMatchObject({
      code: 'key_required',
    });
    const quiet = await client.channel('room', { key });
    expect(() => quiet.presence).toThrow('presence');
  });
});

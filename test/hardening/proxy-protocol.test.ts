import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

const PLACES = 16;

/** The header of a proxy's connection for a client at this IPv4 address: PROXY protocol, version 2, section 2.2. */
function proxyHeader(address: string): Buffer {
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
  const [versionAndCommand, familyAndTransport, length] = [0x21, 0x11, 12];
  const source = address.split('.').map(Number);
  const rest = [versionAndCommand, familyAndTransport, 0, length, ...source, 127, 0, 0, 1, 0x30, 0x39, 0x20, 0xfb];
  return Buffer.concat([signature, Buffer.from(rest)]);
}

describe('behind a proxy, strangers', () => {
  afterEach(stopRelays);

  const start = (behindProxy: boolean) =>
    startTestRelay({ listen: { behindProxy }, limits: { maxUnauthenticated: PLACES } });

  /** A WebSocket that the proxy opens for a client at an address. */
  async function openFor(relay: TestRelay, address: string): Promise<TestClient> {
    const socket = connect(Number(new URL(relay.url).port), '127.0.0.1');
    await once(socket, 'connect');
    socket.write(proxyHeader(address));
    return TestClient.open(relay.url, { createConnection: () => socket });
  }

  /** As many as there is room for, all for one address. */
  async function crowd(relay: TestRelay): Promise<readonly TestClient[]> {
    const clients = [];
    for (let i = 0; i < PLACES; i++) clients.push(await openFor(relay, '198.51.100.7'));
    return clients;
  }

  it('are told apart by the PROXY protocol: one address cannot keep out who comes from another', async () => {
    const relay = await start(true);
    const neighbours = await crowd(relay);
    await expect(openFor(relay, '198.51.100.7')).rejects.toThrow('503');
    const newcomer = await openFor(relay, '192.0.2.1');
    await newcomer.hello(await relay.mint());
    await newcomer.flush();
    expect((await neighbours[0]?.closed)?.code).toBe(1006);
    expect(neighbours.slice(1).map(({ socket }) => socket.readyState)).toEqual(neighbours.slice(1).map(() => 1));
  });

  it('are not told apart by what a client writes itself where no proxy was announced', async () => {
    const relay = await start(false);
    await crowd(relay);
    await expect(openFor(relay, '192.0.2.1')).rejects.toThrow('503');
  });
});

import { afterEach, describe, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { expectAlive, expectEnd, innocent, ManualClock } from './support.ts';

/** docs/PROTOCOL.md, section 14: the burst, and the debt that ends a connection. */
const BURST = 40;
const TOO_MANY = 2 * BURST + 1;

describe('a flood of WebSocket control frames', () => {
  afterEach(stopRelays);

  const start = async (): Promise<{
    relay: TestRelay;
    clock: ManualClock;
    others: Awaited<ReturnType<typeof innocent>>;
  }> => {
    const clock = new ManualClock();
    const relay = await startTestRelay({ clock });
    return { relay, clock, others: await innocent(relay, { iss: 'globex' }) };
  };
  const PAYLOADS = [Buffer.alloc(0), Buffer.alloc(4), Buffer.alloc(125, 1)];
  const flood = (client: TestClient, kind: 'ping' | 'pong', count: number): void => {
    for (let i = 0; i < count; i++) client.socket[kind](PAYLOADS[i % 3]);
  };

  it.each(['ping', 'pong'] as const)('closes a connection with 4003, with or without a token: %s', async (kind) => {
    const { relay, others } = await start();
    const [stranger, member] = [await relay.open(), await relay.connect()];
    for (const client of [stranger, member]) {
      const before = client.frames.length;
      flood(client, kind, TOO_MANY);
      await expectEnd(client, 4003, [], before);
    }
    await others.feltNothing();
  });

  it('is not what a client does that sends one now and then', async () => {
    const { relay, clock, others } = await start();
    const client = await relay.connect();
    for (let second = 0; second < 10; second++) {
      flood(client, 'ping', 10);
      flood(client, 'pong', 10);
      await expectAlive(client);
      clock.advance(1000);
    }
    await others.feltNothing();
  });

  it('of one message that is sent in fragments without a byte is ended like any connection that says no HELLO', async () => {
    const relay = await startTestRelay({ limits: { helloTimeoutMs: 500 } });
    const others = await innocent(relay);
    const stranger = await relay.open();
    for (let i = 0; i < 1000; i++) stranger.socket.send(Buffer.alloc(0), { fin: false });
    await expectEnd(stranger, 4004, []);
    await others.feltNothing();
  });
});

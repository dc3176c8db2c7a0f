import { afterEach, expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

afterEach(stopRelays);

/** Sends what is refused with a close, and waits for that. */
const ended = (client: TestClient, frame: readonly unknown[]): Promise<unknown> => {
  client.send(frame);
  return client.closed;
};

/** Refusals counted so far, by status. */
async function counted(relay: TestRelay): Promise<Record<string, number>> {
  const lines = (await relay.metrics()).matchAll(/^mayfly_refusals_total{status="(\d+)"} (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, status, count]) => [status, Number(count)]));
}

it('every refusal that a connection is told of is counted once, under its status', async () => {
  const relay = await startTestRelay({ tenantLimits: { connectionsPerUser: 1 } });
  const member = await relay.connect({ sub: 'member', can: { room: 'r' } });
  const kinds: [string, (stranger: TestClient) => Promise<unknown>][] = [
    ['400', (stranger) => ended(stranger, [1, 9, 'token'])],
    ['400', (stranger) => ended(stranger, [77])],
    ['401', (stranger) => ended(stranger, [1, 1, null])],
    ['403', (stranger) => ended(stranger, [1, 1, 'garbage'])],
    ['429', async (stranger) => ended(stranger, [1, 1, await relay.mint({ sub: 'member' })])],
    ['400', () => member.request(2, 'room', 0)],
    ['403', () => member.request(2, 'other', 1)],
    ['404', () => member.request(3, 1)],
    ['404', () => member.request(3, 2)],
    ['403', async () => member.request(5, await relay.mint({ sub: 'stranger' }))],
    ['403', () => member.request(5, 'garbage')],
    ['400', () => ended(member, [1, 1, 'again'])],
  ];
  const expected: Record<string, number> = {};
  for (const [status, refuse] of kinds) {
    await refuse(await relay.open());
    expected[status] = (expected[status] ?? 0) + 1;
    expect(await counted(relay)).toEqual(expected);
  }
});

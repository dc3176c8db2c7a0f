import { afterAll, describe, expect, it } from 'vitest';
import { message, TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { Hostile, randomFrom } from './hostile.ts';

const ATTACK_MS = 10_000;
const MAX_CONNECTIONS = 3000;
const WORKERS = 12;
const ECHO_BOTH_WAYS = 11;
const PACE_MS = 10;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
afterAll(stopRelays);

/** Gauges that must be the innocent pair's alone in the end. */
async function gauges(relay: TestRelay): Promise<Record<string, number>> {
  const text = await relay.metrics();
  const names = ['connections', 'channels', 'attachments'];
  return Object.fromEntries(
    names.map((name) => [name, Number(new RegExp(`^mayfly_${name} (\\d+)$`, 'm').exec(text)?.[1])]),
  );
}

/** Opens connections one after the other and misbehaves on each. Returns how many, and what the relay said to them. */
async function attack(relay: TestRelay, token: string, seed: number, untilMs: number) {
  const random = randomFrom(seed);
  const said = new Set<unknown>();
  const closes = new Set<number>();
  let connections = 0;
  for (; performance.now() < untilMs && connections < MAX_CONNECTIONS / WORKERS; connections++) {
    const client = await TestClient.open(relay.url);
    client.closed.then(({ code }) => closes.add(code));
    const hostile = new Hostile(client, random, token);
    if (random() < 0.85) await Promise.race([client.hello(token), pause(500)]).catch(() => undefined);
    for (let i = Math.floor(random() * 30); i >= 0 && client.socket.readyState === client.socket.OPEN; i--) {
      hostile.act();
      if (random() < 0.5) await pause(2);
    }
    hostile.end();
    for (const frame of client.frames) said.add(frame[0] === 21 ? frame[3] : frame[0]);
  }
  return { connections, said, closes };
}

describe('a relay that is fed hostile bytes', () => {
  it('serves an innocent pair without a loss, and keeps nothing of the hostile', { timeout: 60_000 }, async () => {
    const relay = await startTestRelay();
    const pair = [await relay.connect({ sub: 'ann' }), await relay.connect({ sub: 'bob' })];
    const ids = new Set<number>();
    for (const client of pair) ids.add((await client.attach('safe', ECHO_BOTH_WAYS)).channelId);
    const [channelId = 0] = ids;
    expect([ids.size, await gauges(relay)]).toEqual([1, { connections: 2, channels: 1, attachments: 2 }]);

    const seed = Math.floor(Math.random() * 2 ** 31);
    const token = await relay.mint({ sub: 'eve', can: { 'h.>': 'rwp', other: 'r' } });
    const untilMs = performance.now() + ATTACK_MS;
    let isOver = false;
    const attacks = Promise.all(
      Array.from({ length: WORKERS }, (_, i) => attack(relay, token, seed + i, untilMs)),
    ).finally(() => {
      isOver = true;
    });
    const sent: string[][] = pair.map(() => []);
    while (!isOver) {
      for (const [i, client] of pair.entries()) {
        const body = `${i}:${sent[i]?.length}`;
        sent[i]?.push(body);
        client.send(message(channelId, body));
      }
      await pause(PACE_MS);
    }
    const results = await attacks;
    for (const client of pair) await client.flush();
    for (const client of pair) await client.flush();

    const note = `seed ${seed}`;
    for (const client of pair) {
      const bodies = client.bodies(channelId);
      for (const [i, expected] of sent.entries())
        expect(
          bodies.filter((body) => body.startsWith(`${i}:`)),
          note,
        ).toEqual(expected);
      expect(
        client.messages(channelId).map(([, , seq]) => seq),
        note,
      ).toEqual(bodies.map((_, i) => i + 1));
      expect(
        client.frames.filter(([type]) => ![16, 17, 4, 20].includes(Number(type))),
        note,
      ).toEqual([]);
    }
    await expect
      .poll(() => gauges(relay), { timeout: 15_000, message: note })
      .toEqual({
        connections: 2,
        channels: 1,
        attachments: 2,
      });
    const said = new Set(results.flatMap((result) => [...result.said]));
    for (const expected of [16, 17, 4, 20, 27, 'protocol_error', 'forbidden', 'not_attached', 'bad_channel'])
      expect(said, `the attack was to reach everything; ${note}`).toContain(expected);
    expect(new Set(results.flatMap(({ closes }) => [...closes])), note).toContain(4500);
    expect(
      results.reduce((sum, { connections }) => sum + connections, 0),
      note,
    ).toBeGreaterThan(30);

    const guest = await relay.connect();
    await guest.attach('safe', 3);
    guest.send(message(channelId, 'still here'));
    await pair[0]?.next((frame) => frame[0] === 4 && frame[3] === guest.sender, 'a frame of a guest');
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message, type TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { error, expectAlive, expectEnd, type Innocents, innocent, ManualClock } from './support.ts';

const nowSeconds = (): number => Math.floor(Date.now() / 1000);

describe('a renewal', () => {
  let relay: TestRelay;
  let clock: ManualClock;
  let others: Innocents;
  beforeEach(async () => {
    clock = new ManualClock();
    relay = await startTestRelay({ clock });
    others = await innocent(relay);
  });
  afterEach(async () => {
    await others.feltNothing();
    await stopRelays();
  });

  /** The old token permits `old.>` and nothing else; every refused one would have permitted everything. */
  async function expectOldToken(client: TestClient): Promise<void> {
    const forbidden = await client.request(2, 'new.room', 1);
    expect(forbidden).toEqual(error(403, 'forbidden', forbidden[1] as number));
    const { channelId } = await client.attach(`old.${Math.random()}`, 1 | 2 | 8);
    client.send(message(channelId, 'still here'));
    await client.flush();
    expect(client.bodies(channelId)).toEqual(['still here']);
  }

  it.each<readonly [string, (relay: TestRelay) => Promise<string | null> | string | null, number, string]>([
    ['another user', (r) => r.mint({ sub: 'mallory' }), 403, 'renew_mismatch'],
    ['a user of another case', (r) => r.mint({ sub: 'Alice' }), 403, 'renew_mismatch'],
    ['another tenant', (r) => r.mint({ iss: 'globex' }), 403, 'renew_mismatch'],
    ['garbage', () => 'garbage', 403, 'token_invalid'],
    ['nil', () => null, 401, 'token_missing'],
    ['an empty string', () => '', 401, 'token_missing'],
    ['a tampered token', async (r) => (await r.mint()).replace(/.{8}$/, 'AAAAAAAA'), 403, 'token_invalid'],
    ['an expired token', (r) => r.mint({ iat: nowSeconds() - 99, exp: nowSeconds() - 60 }), 403, 'token_expired'],
    ['a token of the future', (r) => r.mint({ nbf: nowSeconds() + 99 }), 403, 'token_not_yet_valid'],
    ['a token for ever', (r) => r.mint({ exp: nowSeconds() + 1e9 }), 403, 'token_ttl_too_long'],
    ['a token with an unknown claim', (r) => r.mint({ admin: true }), 403, 'token_claims_invalid'],
    ['over 8,192 bytes', () => `${'x'.repeat(4000)}.${'x'.repeat(4000)}.${'x'.repeat(4000)}`, 403, 'token_invalid'],
  ])('is refused and leaves the old token in force: %s', async (_name, make, status, code) => {
    const client = await relay.connect({ can: { 'old.>': 'rw' } });
    const token = await make(relay);
    for (const _again of [1, 2]) {
      const answer = await client.request(5, token);
      expect(answer).toEqual(error(status, code, answer[1] as number));
      for (const part of token?.split('.').filter((text) => text.length > 7) ?? [])
        expect(answer[4]).not.toContain(part);
    }
    await expectOldToken(client);
  });

  it('is refused while another is being checked, and the first one counts', async () => {
    const client = await relay.connect({ can: { 'old.>': 'rw' } });
    const [first, second] = [
      await relay.mint({ can: { 'first.>': 'r' } }),
      await relay.mint({ can: { 'second.>': 'r' } }),
    ];
    client.send([5, 101, first], [5, 102, second], [5, 103, 'garbage'], [6, 104]);
    await client.next(([type, ref]) => type === 19 && ref === 101, 'RENEWED');
    expect(client.frames.slice(1)).toEqual([
      error(409, 'renew_in_progress', 102),
      error(409, 'renew_in_progress', 103),
      [20, 104],
      [19, 101, expect.any(Number)],
    ]);
    await client.attach('first.a', 1);
    for (const text of ['second.a', 'old.a']) expect((await client.request(2, text, 1))[3]).toBe('forbidden');
    expect((await client.request(5, second))[0]).toBe(19);
    await client.attach('second.a', 1);
  });

  it('in flight when the connection closes harms nobody', async () => {
    const token = await relay.mint();
    for (let i = 0; i < 10; i++) {
      const client = await relay.connect();
      client.send([5, 1, token]);
      client.terminate();
    }
    const client = await relay.connect();
    client.send([5, 1, token], Buffer.from('c1', 'hex'));
    await expectEnd(client, 4500, [error(400, 'protocol_error')], 1);
  });

  it('to fewer grants ends what they do not cover, once each, and the rest goes on without a gap', async () => {
    const [client, peer] = [await relay.connect(), await relay.connect({ sub: 'peer' })];
    const kept = await client.attach('kept.room', 1 | 2);
    const read = await client.attach('both.room', 1 | 2);
    const gone = await client.attach('gone.room', 1);
    const pattern = await client.attach('gone.*', 1);
    const keptPattern = await client.attach('kept.*', 1);
    for (const name of ['kept.room', 'both.room', 'gone.room']) await peer.attach(name, 2);
    for (const id of [kept, read, gone]) peer.send(message(id.channelId, 'before'));
    await peer.flush();
    const renewed = await client.request(5, await relay.mint({ can: { 'kept.>': 'rw', 'both.>': 'r' } }));
    expect(renewed).toEqual([19, expect.any(Number), expect.any(Number)]);
    for (const id of [kept, read, gone]) peer.send(message(id.channelId, 'after'));
    await peer.flush();
    await client.until(() => client.bodies(kept.channelId).length === 2, 'the frames of what was kept');
    await client.flush();
    const ended = client.frames.filter(([type]) => type === 18).map((frame) => frame.slice(1));
    const expected = [read, gone, pattern].map(({ channelId }) => [null, channelId, 403, 'forbidden']);
    expect(ended.sort()).toEqual(expected.sort());
    expect(client.messages(kept.channelId).map((frame) => frame[2])).toEqual([1, 2]);
    for (const id of [read, gone]) expect(client.bodies(id.channelId)).toEqual(['before']);
    client.send(message(read.channelId, 'x'), message(gone.channelId, 'x'));
    for (const id of [read, gone])
      expect(await client.nextOf(21)).toEqual(error(404, 'not_attached', null, id.channelId));
    expect((await client.request(3, keptPattern.channelId))[3]).toBe(200);
  });

  it('that does not come closes with 4001 at expiry, behind one EXPIRING', async () => {
    const client = await relay.connect({ exp: nowSeconds() + 120 });
    await expectAlive(client);
    clock.advance(95_000);
    const [, inMs] = await client.nextOf(25);
    expect(inMs).toBeGreaterThan(20_000);
    expect(inMs).toBeLessThanOrEqual(30_000);
    await expectAlive(client);
    clock.advance(30_000);
    await expectEnd(client, 4001, [[20, 2]], 3);
    expect(client.frames.filter(([type]) => type === 25)).toHaveLength(1);
  });

  it('refused again and again does not put off the expiry', async () => {
    const client = await relay.connect({ exp: nowSeconds() + 60 });
    for (let i = 0; i < 20; i++) await client.request(5, 'garbage');
    clock.advance(61_000);
    await expectEnd(client, 4001, expect.any(Array));
  });

  it('in time puts off the expiry to that of the new token, and a shorter one brings it forward', async () => {
    const [longer, shorter] = [await relay.connect({ exp: nowSeconds() + 60 }), await relay.connect()];
    const expiry = nowSeconds() + 600;
    expect(await longer.request(5, await relay.mint({ exp: expiry }))).toEqual([19, 1, expiry]);
    expect((await shorter.request(5, await relay.mint({ exp: nowSeconds() + 60 })))[0]).toBe(19);
    clock.advance(61_000);
    await expectEnd(shorter, 4001, expect.any(Array));
    await expectAlive(longer);
  });

  it('comes due at half of a short life, not before', async () => {
    const exp = Math.floor(clock.nowMs() / 1000) + 20;
    const client = await relay.connect({ exp });
    clock.advance(8500);
    await clock.looks();
    await expectAlive(client);
    clock.advance(2000);
    expect((await client.nextOf(25))[1]).toBe(exp * 1000 - clock.nowMs());
    clock.advance(10_000);
    await expectEnd(client, 4001, expect.any(Array));
    expect(client.frames.filter(([type]) => type === 25)).toHaveLength(1);
  });
});

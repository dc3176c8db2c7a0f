import { Agent, request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { Frame, TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay, type TestRelayOptions } from '../support/relay.ts';
import { error, expectAlive, type Innocents, innocent, ManualClock } from './support.ts';

const FRAMES_PER_SECOND = 5000; // the default; a burst is twice that
const BURST = 2 * FRAMES_PER_SECOND;
const ATTACH_COST = 5;
const MANY = 4000;
const MINE = 200;
const ENDING = 2000;
const REVOCATIONS = 10_000;

describe('channels by the thousand', () => {
  afterEach(stopRelays);

  /** A relay whose time stands still, so that each rate has one burst; the innocents are another tenant's. */
  async function start(options: TestRelayOptions = {}) {
    const clock = new ManualClock();
    const limits = { maxAttachments: 20_000, ...options.limits };
    const relay = await startTestRelay({ ...options, limits, clock });
    return { clock, relay, others: await innocent(relay, { iss: 'globex' }) };
  }

  /** Lets the innocents talk while something goes on. From when it `hasBegun` they must have got several words in. */
  async function meanwhile<T>(others: Innocents, work: Promise<T>, hasBegun = () => true): Promise<T> {
    let isOver = false;
    const over = work.finally(() => {
      isOver = true;
    });
    let exchanges = 0;
    while (!isOver) {
      const counts = hasBegun();
      await others.feltNothing();
      if (counts) exchanges++;
    }
    expect(exchanges).toBeGreaterThan(3);
    return over;
  }

  const named = (client: TestClient): readonly Frame[] => client.frames.filter(([type]) => type === 27);
  const ended = (client: TestClient): readonly Frame[] => client.frames.filter(([type]) => type === 18);
  const refused = (client: TestClient): readonly Frame[] => client.frames.filter(([type]) => type === 21);

  /** A connection that holds so many channels by name. */
  async function hold(relay: TestRelay, clock: ManualClock, count: number): Promise<TestClient> {
    const maker = await relay.connect({ sub: 'maker' });
    for (let made = 0; made < count; made += 1000) {
      maker.send(...Array.from({ length: 1000 }, (_, i) => [2, i, `room.${made + i}`, 2] as const));
      await maker.until(() => maker.frames.filter(([type]) => type === 17).length === made + 1000, 'the channels');
      clock.advance(1000);
    }
    return maker;
  }

  it('reached by > again and again are paid for: a connection without means waits for the rest', async () => {
    const { clock, relay, others } = await start();
    await hold(relay, clock, MANY);
    const abuser = await relay.connect({ sub: 'mallory' });
    const rounds = Math.floor(BURST / (ATTACH_COST + MANY / 4 + 1));
    const again = async (): Promise<void> => {
      for (let i = 1; i <= rounds; i++) {
        const { channelId } = await abuser.attach('>', 1);
        await abuser.until(() => named(abuser).length === i * MANY, 'every name');
        await abuser.request(3, channelId);
      }
      await abuser.attach('>', 1);
    };
    await meanwhile(others, again());
    await clock.looks();
    expect(named(abuser).length).toBeLessThan((rounds + 1) * MANY);
    clock.advance(1000);
    await meanwhile(
      others,
      abuser.until(() => named(abuser).length === (rounds + 1) * MANY, 'the rest'),
    );
    expect(new Set(named(abuser).map(([, , name]) => name)).size).toBe(MANY);
    await expectAlive(abuser);
  });

  it('brought to life and left under one’s own pattern are refused behind the burst, and the oldest end', async () => {
    const { relay, others } = await start({ tenantLimits: { channelsPerUser: MINE } });
    const abuser = await relay.connect({ sub: 'mallory' });
    await abuser.attach('room.>', 1);
    const flood = async (): Promise<void> => {
      for (let made = 0; refused(abuser).length === 0; made += 100) {
        abuser.send(...Array.from({ length: 100 }, (_, i) => [2, made + i + 10, `room.${made + i}`, 1] as const));
        const answers = () =>
          abuser.frames.filter(([type, ref]) => (type === 17 || type === 21) && Number(ref) >= made + 10);
        await abuser.until(() => answers().length === 100, 'every answer');
        abuser.send(
          ...answers()
            .filter(([type]) => type === 17)
            .map(([, , id], i) => [3, 1e6 + made + i, id] as const),
        );
      }
    };
    await meanwhile(others, flood());
    expect(named(abuser).length).toBeGreaterThanOrEqual(Math.floor((BURST - 2 * ATTACH_COST) / (ATTACH_COST + 3)));
    expect(named(abuser).length).toBeLessThanOrEqual(BURST / (ATTACH_COST + 2));
    const outdone = ended(abuser).filter((frame) => frame[4] === 'channel_ended');
    expect(outdone).toHaveLength(named(abuser).length - MINE);
    for (const frame of refused(abuser)) expect(frame).toEqual(error(429, 'too_fast', frame[1] as number));
    await others.feltNothing();
  });

  it('that only patterns keep end over many turns, and each reader is told once of each', async () => {
    const { clock, relay, others } = await start();
    const maker = await hold(relay, clock, ENDING);
    const readers = await Promise.all(Array.from({ length: 5 }, () => relay.connect({ sub: 'reader' })));
    for (const reader of readers) {
      await reader.attach('>', 1);
      await reader.until(() => named(reader).length === ENDING, 'every name');
    }
    maker.terminate();
    await expect.poll(() => relay.metrics()).toMatch(new RegExp(`^mayfly_connections ${readers.length + 2}$`, 'm'));
    await clock.looks();
    const before = readers[0]?.frames.length ?? 0; // as many for each
    clock.advance(61_000);
    await meanwhile(
      others,
      Promise.all(readers.map((reader) => reader.until(() => reader.frames.length >= ENDING + before, 'every end'))),
      () => readers.some((reader) => reader.frames.length > before),
    );
    for (const reader of readers) {
      const ids = named(reader).map(([, id]) => id);
      expect(ended(reader)).toEqual(expect.arrayContaining([[18, null, ids[0], 200, 'channel_ended']]));
      expect(new Set(ended(reader).map(([, , id]) => id))).toEqual(new Set(ids));
      expect(ended(reader)).toHaveLength(ENDING);
    }
    expect(await relay.metrics()).toMatch(/^mayfly_channels 1$/m); // the innocents'
  });

  it('revoked one after the other are revoked until no more are remembered', async () => {
    const { relay, others } = await start();
    const colleague = await relay.connect({ sub: 'bob' });
    const { channelId } = await colleague.attach('room.7', 1);
    const token = await relay.mint({ sub: 'mallory', can: {}, ops: ['revoke'] }, 'ops');
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const statuses: (number | undefined)[] = [];
    let count = 0;
    const worker = async (): Promise<void> => {
      while (count < REVOCATIONS) {
        statuses.push(await revoke(relay, { agent, token, channel: `room.${count++}` }));
      }
    };
    await meanwhile(others, Promise.all(Array.from({ length: 20 }, worker)));
    expect([statuses.length, new Set(statuses)]).toEqual([REVOCATIONS, new Set([200])]);
    expect(await revoke(relay, { agent, token, channel: 'one.too.many' })).toBe(429);
    expect(await revoke(relay, { agent, token, channel: 'room.1' })).toBe(200);
    agent.destroy();
    expect(await colleague.nextOf(18)).toEqual([18, null, channelId, 403, 'forbidden']);
    await expectAlive(colleague);
    await others.feltNothing();
  });

  it('asked for with as many grants as a token has room for are refused one by one, then for the rate', async () => {
    const burst = 8 * FRAMES_PER_SECOND;
    const { relay, others } = await start({ limits: { framesPerSecond: burst / 2 } });
    const can = Object.fromEntries(Array.from({ length: 250 }, (_, i) => [`g${i}.*.x.*.y`, 'rwp']));
    const abuser = await relay.connect({ sub: 'mallory', can });
    const asked = burst / ATTACH_COST;
    abuser.send(...Array.from({ length: asked + 100 }, (_, i) => [2, i, 'nowhere.a.x.b.z', 1] as const));
    await meanwhile(
      others,
      abuser.until(() => refused(abuser).length === asked + 100, 'every answer'),
      () => refused(abuser).length > 0,
    );
    expect(refused(abuser)).toEqual(
      Array.from({ length: asked + 100 }, (_, i) =>
        i < asked ? error(403, 'forbidden', i) : error(429, 'too_fast', i),
      ),
    );
    await others.feltNothing();
  });
});

function revoke(
  relay: TestRelay,
  { agent, token, channel }: { readonly agent: Agent; readonly token: string; readonly channel: string },
): Promise<number | undefined> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request(`${relay.httpUrl}/v1/revocations`, { method: 'POST', agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode));
    });
    asking.once('error', reject).end(JSON.stringify({ channel }));
  });
}

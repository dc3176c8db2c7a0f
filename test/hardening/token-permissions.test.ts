import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TestClient } from '../support/client.ts';
import { type KeyedRelay, type Signing, startKeyedRelay } from './keyed-relay.ts';
import { error, expectAlive, type Innocents, innocent, jsonOf, post, refusal } from './support.ts';

type Asked = readonly [text: string, modes: number, isGranted: boolean];

interface Case {
  readonly name: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signing?: Signing;
  readonly asked: readonly Asked[];
}

const NARROW: Signing = { kid: 'kid-otter' }; // room.> r, desk.* rw, desk.*.drawer r

const CASES: readonly Case[] = [
  {
    name: 'without can, nothing',
    claims: { can: undefined },
    asked: [['room.a', 1, false], ['room.a', 2, false], ['room.a', 4, false], ['>', 1, false]], // biome-ignore format: pairs
  },
  {
    name: 'all of the modes or none',
    claims: { can: { 'room.a': 'r' } },
    asked: [['room.a', 3, false], ['room.a', 5, false], ['room.a', 11, false], ['room.a', 2, false], ['room.a', 1, true]], // biome-ignore format: pairs
  },
  {
    name: 'the letter a permits no operation',
    claims: { can: { '>': 'a' } },
    asked: [['room.a', 1, false], ['room.a', 2, false], ['room.a', 4, false], ['room.*', 1, false]], // biome-ignore format: pairs
  },
  {
    name: 'the ceiling of the key holds, whatever the token grants',
    claims: { can: { '>': 'rwpa' } },
    signing: NARROW,
    asked: [
      ['room.a', 2, false],
      ['room.a', 4, false],
      ['room', 1, false],
      ['elsewhere', 1, false],
      ['desk.a.b', 1, false],
      ['>', 1, false],
      ['*.a', 1, false],
      ['desk.>', 1, false],
      ['room.a', 1, true],
      ['room.a.b.c', 1, true],
      ['desk.a', 3, true],
      ['desk.a.drawer', 1, true],
      ['room.>', 1, true],
      ['room.*.x', 1, true],
      ['desk.*', 1, true],
    ],
  },
  {
    name: 'the token holds, whatever the ceiling of its key',
    claims: { can: { 'room.*': 'r' } },
    asked: [
      ['room.a', 2, false],
      ['room.a.b', 1, false],
      ['room.>', 1, false],
      ['*.a', 1, false],
      ['room.*', 1, true],
      ['room.a', 1, true],
    ],
  },
  {
    name: 'one entry must cover a pattern, two together do not',
    claims: { can: { 'room.*': 'r', 'room.*.>': 'r' } },
    asked: [['room.>', 1, false], ['room.*', 1, true], ['room.*.>', 1, true], ['room.a.b', 1, true]], // biome-ignore format: pairs
  },
  {
    name: 'a denial wins over any grant',
    claims: { can: { '>': 'rw', 'room.vault': 'rw' }, not: { 'room.vault': 'rw', 'room.*.safe': 'w' } },
    asked: [
      ['room.vault', 1, false],
      ['room.vault', 2, false],
      ['room.a.safe', 2, false],
      ['room.a.safe', 3, false],
      ['room.a.safe', 1, true],
      ['room.vaults', 3, true],
    ],
  },
  {
    name: 'a denial of r that touches a pattern refuses it, one of w does not',
    claims: { can: { '>': 'rw' }, not: { 'room.*.safe': 'r', 'desk.>': 'w' } },
    asked: [
      ['>', 1, false],
      ['room.>', 1, false],
      ['*.x.safe', 1, false],
      ['room.x.*', 1, false],
      ['room.*', 1, true],
      ['desk.>', 1, true],
      ['desk.*', 1, true],
    ],
  },
  {
    name: '{sub} and {dev} are the own claims and nobody else’s',
    claims: { sub: 'alice', dev: 'phone', can: { 'in.{sub}': 'r', 'in.{sub}.{dev}': 'w' }, not: { 'in.{dev}': 'r' } },
    asked: [
      ['in.bob', 1, false],
      ['in.{sub}', 1, false],
      ['in.alice.laptop', 2, false],
      ['in.*', 1, false],
      ['in.alice', 1, true],
      ['in.alice.phone', 2, true],
    ],
  },
  {
    name: 'a sub that looks like a placeholder is not filled in again',
    claims: { sub: '{dev}', dev: 'phone', can: { 'in.{sub}': 'r' } },
    asked: [['in.phone', 1, false], ['in.{sub}', 1, false], ['in.{dev}', 1, true]], // biome-ignore format: pairs
  },
  {
    name: 'a sub that a replacement would read is taken as it is',
    claims: { sub: '$&', can: { 'in.{sub}': 'r' } },
    asked: [['in.{sub}', 1, false], ['in.$&', 1, true]], // biome-ignore format: pairs
  },
];

describe('a permission', () => {
  let relay: KeyedRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startKeyedRelay();
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(() => relay.stop());

  async function answers(client: TestClient, [text, modes, isGranted]: Asked): Promise<void> {
    const answer = await client.request(2, text, modes);
    const what = `ATTACH ${text} with modes ${modes}`;
    if (!isGranted) {
      expect(answer, what).toEqual(error(403, 'forbidden', answer[1] as number));
      expect(answer[4], what).not.toContain(text);
      return;
    }
    expect(answer.slice(0, 4), what).toEqual([17, answer[1], expect.any(Number), modes]);
    await client.request(3, answer[2]);
  }

  it.each(CASES)('is grant and ceiling without denial: $name', async ({ claims, signing, asked }) => {
    const token = await relay.sign(claims, signing);
    const client = await relay.open();
    await client.hello(token);
    for (const one of asked) await answers(client, one);
    await expectAlive(client);
    for (const [text, modes, isGranted] of asked) {
      if ((modes & 2) === 0 || /[*>]/.test(text)) continue;
      const answer = await post(`${relay.httpUrl}/v1/channels/${encodeURIComponent(text)}/messages`, { token });
      const isPublisher = isGranted || asked.some(([same, less, granted]) => same === text && less === 2 && granted);
      if (modes !== 2 && !isGranted) continue; // the other modes may be what was refused
      expect(answer.status).toBe(isPublisher ? 202 : 403);
      if (!isPublisher) expect(jsonOf(answer)).toEqual(refusal(403, 'forbidden'));
    }
    client.terminate();
  });

  it.each<readonly [string, Readonly<Record<string, unknown>>, Signing]>([
    ['a token without ops', {}, {}],
    ['a token with an empty ops', { ops: [] }, {}],
    ['a key without the operation', { ops: ['revoke'] }, NARROW],
  ])('to revoke is not there for %s', async (_name, claims, signing) => {
    const answer = await post(`${relay.httpUrl}/v1/revocations`, {
      token: await relay.sign(claims, signing),
      type: 'application/json',
      body: JSON.stringify({ sub: 'innocent-writer' }),
    });
    expect(answer.status).toBe(403);
    expect(jsonOf(answer)).toEqual(refusal(403, 'forbidden'));
  });

  it('to revoke ends at the own tenant', async () => {
    const revoke = async (iss: string, target: object) =>
      post(`${relay.httpUrl}/v1/revocations`, {
        token: await relay.sign({ iss, sub: 'authority', ops: ['revoke'] }),
        type: 'application/json',
        body: JSON.stringify(target),
      });
    for (const target of [{ sub: 'innocent-reader' }, { channel: '>' }, { channel: others.channel }]) {
      const answer = await revoke('tenant-heron', target);
      expect(jsonOf(answer)).toEqual({ closed: 0, detached: 0, until: expect.any(Number) });
      await others.feltNothing();
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkplace, type Program, serve, type Workplace } from '../support/cli.ts';
import { type Frame, message, TestClient } from '../support/client.ts';

const CHANNELS = 200;
const MEMBERS = 5;
const ROUNDS = 20;
const FRAMES_PER_ROUND = 10;
const FRAMES_PER_MEMBER = ROUNDS * FRAMES_PER_ROUND;
const FRAMES_PER_CHANNEL = MEMBERS * FRAMES_PER_MEMBER;
const STALLED = 10;

/** One of the thousand: checks each frame as it comes, and remembers only what is next. */
class Member {
  readonly client: TestClient;
  readonly channelId: number;
  readonly faults: string[] = [];
  received = 0;
  #lastSeq = 0;
  readonly #nextOf = new Map<number, number>();

  constructor(client: TestClient, channelId: number) {
    this.client = client;
    this.channelId = channelId;
    client.onMessage = (frame) => this.#check(frame);
  }

  #check([, channelId, seq, sender, , body]: Frame): void {
    if (channelId !== this.channelId) this.faults.push('a frame of a channel that is not mine');
    if ((seq as number) <= this.#lastSeq) this.faults.push('a number that does not grow');
    this.#lastSeq = seq as number;
    if (sender === this.client.sender) return;
    const count = Buffer.from(body as Uint8Array).readUInt32BE(0);
    if (count !== (this.#nextOf.get(sender as number) ?? 0)) this.faults.push('lost, twice or out of order');
    this.#nextOf.set(sender as number, count + 1);
    this.received++;
  }

  async publish(round: number): Promise<void> {
    const frames = Array.from({ length: FRAMES_PER_ROUND }, (_, i) => {
      const body = Buffer.alloc(128);
      body.writeUInt32BE(round * FRAMES_PER_ROUND + i);
      return message(this.channelId, body);
    });
    this.client.send(...frames);
    await this.client.flush();
  }
}

/** A reader that stands still while everything is sent, attached to every channel by a pattern. */
class Stalled {
  readonly client: TestClient;
  readonly others = new Map<number, number>();

  constructor(client: TestClient) {
    this.client = client;
    client.onMessage = ([, channelId]) => {
      this.others.set(channelId as number, (this.others.get(channelId as number) ?? 0) + 1);
    };
  }

  /** Frames lost in a channel by the arithmetic of its last HEAD. Its base is 0: it was there from the start, and publishes nothing. */
  lost(channelId: number): number {
    const head = this.client.frames.findLast(([type, id]) => type === 22 && id === channelId);
    return head === undefined ? 0 : (head[2] as number) - (this.others.get(channelId) ?? 0) - (head[3] as number);
  }
}

describe('1,000 connections in 200 channels exchanging 200,000 frames', () => {
  let workplace: Workplace;
  let relay: { program: Program; url: string; admin: string };
  let tokens: string[];
  const clients: TestClient[] = [];

  beforeAll(async () => {
    workplace = await makeWorkplace(() => ({ limits: { slowConsumerTimeoutMs: 300_000, drainTimeoutMs: 0 } }));
    relay = await serve(workplace);
    tokens = await Promise.all(['a', 'b'].map((sub) => workplace.token('--sub', sub, '--can', '>=rw'))); // connectionsPerUser is 1,000
  });
  afterAll(async () => {
    for (const client of clients) client.terminate();
    expect((await relay.program.stop()).code).toBe(0);
    await workplace.remove();
  });

  async function connect(): Promise<TestClient> {
    const client = await TestClient.open(relay.url);
    clients.push(client);
    await client.hello(tokens[clients.length % 2] ?? null);
    return client;
  }

  async function join(prefix: string): Promise<Member[]> {
    const members: Member[] = [];
    for (let channel = 0; channel < CHANNELS; channel++) {
      const group = await Promise.all(Array.from({ length: MEMBERS }, connect));
      for (const client of group) {
        const { channelId } = await client.attach(`${prefix}.${channel}`, 1 | 2);
        members.push(new Member(client, channelId));
      }
    }
    return members;
  }

  async function exchange(members: readonly Member[]): Promise<void> {
    for (let round = 0; round < ROUNDS; round++) await Promise.all(members.map((member) => member.publish(round)));
    const expected = (MEMBERS - 1) * FRAMES_PER_MEMBER;
    await Promise.all(members.map(({ client }) => client.flush()));
    expect(members.flatMap(({ faults }) => faults)).toEqual([]);
    expect(new Set(members.map(({ received }) => received))).toEqual(new Set([expected]));
  }

  it('loses, duplicates, reorders and misdelivers none', async () => {
    const members = await join('quick');
    expect(members).toHaveLength(1000);
    await exchange(members);
    for (const { client } of members) client.terminate();
  });

  it('with ten stalled readers beside them loses none either, and the losses of the ten add up exactly by HEAD', async () => {
    const stalled = await Promise.all(Array.from({ length: STALLED }, async () => new Stalled(await connect())));
    for (const { client } of stalled) await client.attach('stall.*', 1);
    const members = await join('stall');
    for (const { client } of stalled) {
      await client.until(() => client.frames.filter(([type]) => type === 27).length === CHANNELS, 'every NAMED');
      client.pause();
    }
    await exchange(members);
    const channelIds = [...new Set(members.map(({ channelId }) => channelId))];
    for (const one of stalled) {
      one.client.resume();
      await one.client.until(() => one.client.frames.filter(([type]) => type === 22).length >= CHANNELS, 'every HEAD');
      await one.client.flush();
      let lost = 0;
      for (const channelId of channelIds) {
        expect((one.others.get(channelId) ?? 0) + one.lost(channelId)).toBe(FRAMES_PER_CHANNEL);
        lost += one.lost(channelId);
      }
      expect(lost).toBeGreaterThan(0);
    }
  });
});

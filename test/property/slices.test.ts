import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { type Client, World } from '../unit/core/world.ts';
import { isMatch } from './names.ts';

const NAMES = ['a', 'a.b', 'a.c', 'b', 'b.c'] as const;
const PATTERNS = ['>', 'a.*', '*', '*.c'] as const;
const WHO = 3;

const who = fc.nat(WHO - 1);
const steps = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('watch' as const), who, pattern: fc.constantFrom(...PATTERNS) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('unwatch' as const), who, pattern: fc.constantFrom(...PATTERNS) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), name: fc.constantFrom(...NAMES) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('close' as const), name: fc.constantFrom(...NAMES) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish' as const), name: fc.constantFrom(...NAMES) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('full' as const), who, isFull: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reap' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave' as const), who }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** A reader that keeps what docs/PROTOCOL.md, section 6, tells a client to keep. */
class Reader {
  readonly client: Client;
  /** Names and numbers of the channels it was told of. */
  readonly known = new Map<unknown, { name: string; seq: number }>();
  readonly patterns = new Map<string, number>();
  #read = 0;

  constructor(client: Client) {
    this.client = client;
  }

  /** Reads what came: each frame belongs to a channel told of before, and its number is the next. */
  read(): void {
    for (const [type, first, second, third] of this.client.frames.slice(this.#read)) {
      if (type === 27) {
        expect(this.known.has(first)).toBe(false);
        this.known.set(first, { name: String(second), seq: Number(third) });
      } else if (type === 4) {
        const channel = this.known.get(first);
        expect(channel).toBeDefined();
        if (channel === undefined) continue;
        expect(second).toBe(channel.seq + 1);
        channel.seq++;
      } else if (type === 18) {
        this.#detached(second);
      }
    }
    this.#read = this.client.frames.length;
  }

  #detached(id: unknown): void {
    this.known.delete(id);
    for (const [pattern, attached] of this.patterns) if (attached === id) this.patterns.delete(pattern);
    for (const [known, { name }] of this.known) if (!this.covers(name)) this.known.delete(known);
  }

  covers(name: string): boolean {
    return [...this.patterns.keys()].some((pattern) => isMatch(pattern.split('.'), name.split('.')));
  }
}

/** A world where hardly anything is done at once. */
class Play {
  readonly world = new World({}, {}, 1);
  readonly readers: Reader[] = [];
  readonly writer = this.world.connect();
  readonly live = new Map<string, number>();

  reader(index: number): Reader {
    this.readers[index] ??= new Reader(this.world.connect());
    return this.readers[index] as Reader; // made in the line before
  }

  run(step: Step): void {
    const { world } = this;
    if (step.do === 'end') {
      world.slices.tick();
      world.endTurn();
    } else if (step.do === 'watch') {
      const reader = this.reader(step.who);
      if (!reader.client.session.isBusy && !reader.patterns.has(step.pattern))
        reader.patterns.set(step.pattern, reader.client.attach(step.pattern, 1));
    } else if (step.do === 'unwatch') {
      const { client, patterns } = this.reader(step.who);
      const id = patterns.get(step.pattern);
      if (id !== undefined && !client.session.isBusy) client.send([3, 99, id]);
    } else if (step.do === 'open') {
      if (!this.live.has(step.name)) this.live.set(step.name, this.writer.attach(step.name, 2));
    } else if (step.do === 'close') {
      const id = this.live.get(step.name);
      if (id !== undefined) this.writer.send([3, 98, id]);
      this.live.delete(step.name);
    } else if (step.do === 'publish') {
      const id = this.live.get(step.name);
      if (id !== undefined) this.writer.send(message(id, 'x'));
    } else if (step.do === 'full') {
      const { connection } = this.reader(step.who).client.session;
      if (step.isFull) world.fanout.full.add(connection);
      else world.fanout.full.delete(connection);
    } else if (step.do === 'reap') {
      world.channels.reap(world.nowMs + 1e9, 1000);
    } else {
      this.reader(step.who).client.leave();
      delete this.readers[step.who];
    }
    for (const reader of this.readers) reader?.read();
  }

  settle(): void {
    for (const { client } of this.readers.filter((reader) => reader !== undefined))
      this.world.fanout.full.delete(client.session.connection);
    for (let i = 0; i < 5; i++) this.world.settle();
    for (const reader of this.readers) reader?.read();
  }
}

describe('patterns whose work is spread over many turns', () => {
  it('tell each reader of each channel once and ahead of its frames, give it all frames from there on, and forget nothing', () => {
    fc.assert(
      fc.property(fc.array(steps, { minLength: 10, maxLength: 80 }), (schedule) => {
        const play = new Play();
        for (const step of schedule) play.run(step);
        play.settle();
        const names = [...play.writer.session.tenant.channels.values()];
        for (const reader of play.readers.filter((each) => each !== undefined)) {
          const expected = names.filter(({ name }) => reader.covers(name)).map(({ id, seq }) => [id, seq]);
          expect(new Map([...reader.known].map(([id, { seq }]) => [id, seq]))).toEqual(
            new Map(expected as [number, number][]),
          );
        }
        for (const reader of play.readers) reader?.client.leave();
        play.writer.leave();
        play.settle();
        expect(play.world.meter).toMatchObject({ channels: 0, attachments: 0 });
        expect(play.world.slices.count).toBe(0);
        expect(play.writer.session.user).toMatchObject({ channelCount: 0, connectionCount: 0 });
      }),
      { numRuns: 3000 },
    );
  });
});

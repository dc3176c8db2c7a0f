import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChannelState } from '../../../src/client/channel-state.ts';
import { MayflyError } from '../../../src/client/errors.ts';
import { Feeds } from '../../../src/client/feeds.ts';
import type { Loss } from '../../../src/client/loss.ts';

const count = fc.integer({ min: 1, max: 6 });
const who = fc.nat(5);
const steps = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), count }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('skip' as const, 'skip quietly' as const), count }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'end attachment' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('attach' as const), isSame: fc.boolean(), count }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('listen' as const, 'loop' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('stop' as const, 'break' as const), who }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('read' as const), who, count }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
);
type Step = typeof steps extends fc.Arbitrary<infer T> ? T : never;

/** Somebody who takes messages: a listener, or one loop after the other at the same place. */
interface Consumer {
  /** How many messages of the channel there had been when it began, and when it stopped. */
  readonly from: number;
  until: number | null;
  /** How many losses had been told to everybody by then. */
  readonly lossesFrom: number;
  lossesUntil: number | null;
  readonly given: number[];
  readonly own: AsyncIterator<unknown>[];
  /** Leaves the loop, or stops listening; null while no loop is at the place. */
  leave: (() => void) | null;
  readonly isLoop: boolean;
}

/** A channel over a relay that numbers, skips, cuts and refuses; and what by docs/CLIENT.md everybody who listens is owed. */
class World {
  readonly state = new ChannelState('room', { plaintext: true, modes: 'r', maxWaiting: 4 });
  readonly feeds = new Feeds();
  readonly consumers: Consumer[] = [];
  readonly losses: Loss[] = [];
  readonly #reading: Promise<unknown>[] = [];
  #id = 5;
  #seq = 0;
  /** Messages there were in all: each bears its place among them. */
  #sent = 0;
  /** Of these, how many have come or were told. */
  #settled = 0;
  /** Places of messages whose channel ended before anybody could count them. */
  readonly #unknown = new Set<number>();
  #isAttached = true;
  #isOpen = false;

  constructor() {
    this.state.on('loss', (loss) => this.losses.push(loss));
    this.feeds.join(this.state);
    this.feeds.open(this.#id, 'room', 0);
  }

  /** Does a step: at once, so that several can be of one tick. */
  run(step: Exclude<Step, { do: 'tick' }>): void {
    const chosen = 'who' in step ? this.consumers.filter(({ leave }) => leave !== null)[step.who] : undefined;
    if (step.do === 'send') for (let i = 0; i < step.count; i++) this.#send();
    else if (step.do === 'skip') this.#skip(step.count);
    else if (step.do === 'skip quietly') this.#skipQuietly(step.count);
    else if (step.do === 'attach') this.attach(step.isSame, step.count);
    else if (step.do === 'listen') this.#listen();
    else if (step.do === 'loop') this.loop();
    else if (step.do === 'read') this.#read(chosen, step.count);
    else if (step.do === 'stop' || step.do === 'break') this.#leave(chosen);
    else if (this.#isAttached) {
      this.#isAttached = false;
      if (step.do === 'cut') this.feeds.disconnected();
      else this.feeds.detached(this.state);
    }
  }

  attach(isSame: boolean, ahead: number): void {
    if (this.#isAttached) return;
    this.#isAttached = true;
    if (!isSame) {
      for (let place = this.#settled + 1; place <= this.#sent; place++) this.#unknown.add(place);
      this.#id++;
      this.#seq = ahead;
    }
    this.#settled = this.#sent;
    this.feeds.join(this.state);
    this.feeds.open(this.#id, 'room', this.#seq);
    this.feeds.settled();
  }

  /** Begins a loop, at the first place that was left, else at a new one. */
  loop(): void {
    const loop = this.state.iterate();
    const free = this.consumers.find(({ isLoop, leave }) => isLoop && leave === null);
    const consumer = free ?? this.#begin(true);
    consumer.own.push(loop);
    consumer.leave = () => void loop.return?.();
  }

  async tick(): Promise<void> {
    for (let i = 0; i < 5; i++) await Promise.resolve();
    if (this.consumers.some(({ until }) => until === null)) this.#isOpen = true;
  }

  /** Lets every loop go on to its end, and returns what each consumer was given, was told, and was owed. */
  async end(): Promise<{ given: number; told: number; owed: number }[]> {
    await this.tick();
    this.attach(true, 0);
    this.#head();
    while (this.consumers.some(({ isLoop, leave }) => isLoop && leave === null)) this.loop();
    await this.tick();
    this.state.end(() => new MayflyError('closed', 'over'));
    for (const { isLoop, own, given } of this.consumers) {
      const loop = own.at(-1) as AsyncIterator<{ text: string }>;
      for (let next = isLoop ? await loop.next() : undefined; next?.done === false; next = await loop.next())
        given.push(Number(next.value.text));
    }
    await Promise.all(this.#reading);
    return this.consumers.map((consumer) => {
      const until = consumer.until ?? this.#sent;
      const places = Array.from({ length: until - consumer.from }, (_, i) => consumer.from + 1 + i);
      const shared = this.losses.slice(consumer.lossesFrom, consumer.lossesUntil ?? undefined);
      const told = shared.filter(({ loop }) => loop === undefined).reduce((sum, loss) => sum + (loss.count ?? 0), 0);
      const own = this.losses.filter(({ loop }) => loop !== undefined && consumer.own.includes(loop));
      return {
        given: consumer.given.length,
        told: told + own.reduce((sum, loss) => sum + (loss.count ?? Number.NaN), 0),
        owed: places.filter((place) => !this.#unknown.has(place)).length,
      };
    });
  }

  /** Whether numbers were joined with what nobody could count, before anybody listened: then they are not known either. */
  get isBlurred(): boolean {
    return this.losses.some((loss) => loss.count === null && loss.cause === 'slow_app');
  }

  #send(): void {
    this.#seq++;
    const body = Buffer.from(`${++this.#sent}`);
    if (!this.#isAttached) return;
    this.#settled++;
    this.feeds.message([4, this.#id, this.#seq, 9, null, new Uint8Array(body)], 7);
  }

  #skip(skipped: number): void {
    this.#skipQuietly(skipped);
    this.#head();
  }

  /** Skips messages and goes on, but for HEAD, which may come much later or not at all. */
  #skipQuietly(skipped: number): void {
    this.#seq += skipped;
    this.#sent += skipped;
    if (this.#isAttached) this.#settled += skipped;
    this.#send();
  }

  #head(): void {
    if (this.#isAttached) this.feeds.head(this.#id, this.#seq, 0);
  }

  #listen(): void {
    const consumer = this.#begin(false);
    consumer.leave = this.state.on('message', ({ text }) => consumer.given.push(Number(text)));
  }

  /** Begins with HEAD, as does leaving: so nobody is told of what was skipped before, or after. */
  #begin(isLoop: boolean): Consumer {
    this.#head();
    const consumer = {
      from: this.#isOpen ? this.#settled : 0,
      until: null,
      lossesFrom: this.#isOpen ? this.losses.length : 0,
      lossesUntil: null,
      given: [],
      own: [],
      leave: null,
      isLoop,
    };
    this.consumers.push(consumer);
    return consumer;
  }

  #read(consumer: Consumer | undefined, times: number): void {
    const loop = consumer?.own.at(-1) as AsyncIterator<{ text: string }> | undefined;
    for (let i = 0; loop !== undefined && i < times; i++) {
      const reading = loop.next().then((next) => {
        if (next.done !== true) consumer?.given.push(Number(next.value.text));
      });
      this.#reading.push(reading);
    }
  }

  /** A loop's place stays, for the next; but who leaves ahead of the first message was never there. */
  #leave(consumer: Consumer | undefined): void {
    if (consumer === undefined) return;
    this.#head();
    consumer.leave?.();
    consumer.leave = null;
    if (!this.#isOpen) this.consumers.splice(this.consumers.indexOf(consumer), 1);
    else if (!consumer.isLoop) {
      consumer.until = this.#settled;
      consumer.lossesUntil = this.losses.length;
    }
  }
}

async function played(schedule: readonly Step[]): Promise<World> {
  const world = new World();
  for (const step of schedule) {
    if (step.do === 'tick') await world.tick();
    else world.run(step);
  }
  return world;
}

describe('everybody who takes messages of a channel', () => {
  it('is given and told, together, exactly what was sent, whatever listens, reads, leaves, breaks and comes back', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (schedule) => {
        const world = await played(schedule);
        const sums = await world.end();
        if (world.isBlurred) return;
        for (const { given, told, owed } of sums) expect(given + told).toBe(owed);
      }),
      { numRuns: 4000 },
    );
  });

  it('is given each message once, in order, and told of a hole ahead of what is behind it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 60 }), async (schedule) => {
        const world = await played(schedule);
        await world.end();
        for (const { given } of world.consumers)
          expect(given.every((place, i) => i === 0 || place > (given[i - 1] ?? place))).toBe(true);
      }),
      { numRuns: 1500 },
    );
  });
});

import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Peers } from '../../../src/edge/peers.ts';
import { RunningTime } from '../../../src/edge/running-time.ts';
import { startSweep } from '../../../src/edge/sweep.ts';

const PERIOD_MS = 250;
const TICK_MS = PERIOD_MS / 5;

/** Connections as Peers keeps them: one that leaves is replaced by the last. */
class Crowd {
  readonly all: { readonly name: number; lookedAtMs: number }[] = [];
  #next = 0;
  nowMs = 0;

  get count(): number {
    return this.all.length;
  }

  at(i: number): Crowd['all'][number] | undefined {
    return this.all[i];
  }

  inspect(peer: Crowd['all'][number]): void {
    peer.lookedAtMs = this.nowMs;
  }

  join(): void {
    this.all.push({ name: this.#next++, lookedAtMs: this.nowMs });
  }

  leave(i: number): void {
    const last = this.all.pop();
    if (last !== undefined && i < this.all.length) this.all[i] = last;
  }
}

describe('the sweep', () => {
  let crowd: Crowd;
  let stop: () => void;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setImmediate'] });
    crowd = new Crowd();
    const clock = { nowMs: () => crowd.nowMs, monotonicMs: () => crowd.nowMs };
    const time = new RunningTime(clock.monotonicMs, PERIOD_MS);
    stop = startSweep(crowd as unknown as Peers, time, clock, PERIOD_MS, () => {});
    vi.advanceTimersByTime(TICK_MS / 2); // fake immediates come a moment after the timer that asks for them
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
  });

  const tick = (afterMs = TICK_MS): void => {
    crowd.nowMs += afterMs;
    vi.advanceTimersByTime(TICK_MS);
  };

  it('looks at a fifth each tick', () => {
    for (let i = 0; i < 100; i++) crowd.join();
    tick();
    expect(crowd.all.filter(({ lookedAtMs }) => lookedAtMs > 0)).toHaveLength(20);
  });

  it('looks at everyone at once when it is a period late', () => {
    for (let i = 0; i < 100; i++) crowd.join();
    tick(PERIOD_MS);
    expect(crowd.all.filter(({ lookedAtMs }) => lookedAtMs === 0)).toEqual([]);
  });

  it('goes on with the next round in a late tick that had little left of the one before', () => {
    for (let i = 0; i < 100; i++) crowd.join();
    for (let i = 0; i < 4; i++) tick();
    tick(PERIOD_MS);
    expect(crowd.all.filter(({ lookedAtMs }) => lookedAtMs < crowd.nowMs)).toEqual([]);
  });

  it('looks at each at least once in two periods and a tick, whoever comes and goes, and however late ticks are', () => {
    const turn = fc.record({
      afterMs: fc.integer({ min: TICK_MS, max: PERIOD_MS }),
      joins: fc.nat(30),
      leaves: fc.array(fc.nat(), { maxLength: 30 }),
    });
    fc.assert(
      fc.property(fc.array(turn, { minLength: 10, maxLength: 60 }), (turns) => {
        crowd.all.length = 0;
        for (const { afterMs, joins, leaves } of turns) {
          for (let i = 0; i < joins; i++) crowd.join();
          for (const i of leaves) if (crowd.count > 0) crowd.leave(i % crowd.count);
          tick(afterMs);
          const longestMs = Math.max(0, ...crowd.all.map(({ lookedAtMs }) => crowd.nowMs - lookedAtMs));
          expect(longestMs).toBeLessThanOrEqual(2 * PERIOD_MS + afterMs);
        }
      }),
      { numRuns: 300 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket, Verdict } from '../../src/core/rate-limit.ts';

const requests = fc.array(
  fc.record({ afterMs: fc.integer({ min: 0, max: 3000 }), cost: fc.integer({ min: 1, max: 50 }) }),
  {
    minLength: 1,
    maxLength: 60,
  },
);

describe('a token bucket', () => {
  it('decides as one that is filled millisecond by millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), requests, (rate, schedule) => {
        const bucket = new TokenBucket(rate);
        let nowMs = 1_790_000_000_000;
        let thousandths = 2000 * rate; // of a unit: a burst is two seconds' worth
        for (const { afterMs, cost } of schedule) {
          for (let ms = 0; ms < afterMs; ms++) thousandths = Math.min(2000 * rate, thousandths + rate);
          nowMs += afterMs;
          thousandths -= 1000 * cost;
          const verdict = bucket.take(cost, nowMs);
          if (Math.abs(thousandths) < 1 || Math.abs(thousandths + 2000 * rate) < 1) continue; // on the edge, rounding decides
          const expected = thousandths >= 0 ? Verdict.OK : thousandths < -2000 * rate ? Verdict.FLOOD : Verdict.REFUSE;
          expect(verdict).toBe(expected);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('lets through, in any stretch of time, no more than a burst and its rate', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), requests, (rate, schedule) => {
        const bucket = new TokenBucket(rate);
        let nowMs = 1_790_000_000_000;
        const taken: { atMs: number; cost: number }[] = [];
        for (const { afterMs, cost } of schedule) {
          nowMs += afterMs;
          if (bucket.take(cost, nowMs) === Verdict.OK) taken.push({ atMs: nowMs, cost });
        }
        for (const [i, first] of taken.entries()) {
          let sum = 0;
          for (const { atMs, cost } of taken.slice(i)) {
            sum += cost;
            expect(sum).toBeLessThanOrEqual(2 * rate + ((atMs - first.atMs) * rate) / 1000 + 1e-6);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

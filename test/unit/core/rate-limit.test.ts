import { describe, expect, it } from 'vitest';
import { TokenBucket, Verdict } from '../../../src/core/rate-limit.ts';

const { OK, REFUSE, FLOOD } = Verdict;
const NOW = 1_790_000_000_000;

describe('a token bucket', () => {
  const takes = (bucket: TokenBucket, count: number, nowMs: number): Verdict[] =>
    Array.from({ length: count }, () => bucket.take(1, nowMs));

  it('lets a burst of twice its rate through, refuses another burst, and calls what is beyond a flood', () => {
    const verdicts = takes(new TokenBucket(10), 42, NOW);
    expect(verdicts).toEqual([...Array(20).fill(OK), ...Array(20).fill(REFUSE), FLOOD, FLOOD]);
  });

  it('fills at its rate, and no further than a burst', () => {
    const bucket = new TokenBucket(10);
    takes(bucket, 20, NOW);
    expect(takes(bucket, 6, NOW + 500)).toEqual([OK, OK, OK, OK, OK, REFUSE]);
    expect(takes(bucket, 21, NOW + 60_000)).toEqual([...Array(20).fill(OK), REFUSE]);
  });

  it('keeps what fractions of a unit add up to', () => {
    const bucket = new TokenBucket(1);
    takes(bucket, 2, NOW);
    for (let ms = 100; ms < 1000; ms += 100) bucket.take(0, NOW + ms);
    expect(bucket.take(1, NOW + 1001)).toBe(OK);
  });

  it('takes any cost at once', () => {
    const bucket = new TokenBucket(1000);
    expect(bucket.take(2000, NOW)).toBe(OK);
    expect(bucket.take(2000, NOW)).toBe(REFUSE);
    expect(bucket.take(1, NOW)).toBe(FLOOD);
  });

  it('gives nothing for a clock that goes back', () => {
    const bucket = new TokenBucket(10);
    takes(bucket, 20, NOW);
    expect(bucket.take(1, NOW - 10_000)).toBe(REFUSE);
  });

  it('goes by another rate once it was set', () => {
    const bucket = new TokenBucket(100);
    bucket.setRate(10);
    expect(takes(bucket, 21, NOW)).toEqual([...Array(20).fill(OK), REFUSE]);
    expect(bucket.take(9, NOW + 1100)).toBe(OK);
  });

  it('that is asked to leave no debt takes what is there and nothing more, however often it refuses', () => {
    const bucket = new TokenBucket(10);
    const tries = Array.from({ length: 1000 }, () => bucket.tryTake(1, NOW));
    expect(tries.filter(Boolean)).toHaveLength(20);
    expect([bucket.tryTake(1, NOW + 99), bucket.tryTake(1, NOW + 100), bucket.tryTake(1, NOW + 100)]).toEqual([
      false,
      true,
      false,
    ]);
    expect([bucket.tryTake(21, NOW + 60_000), bucket.tryTake(20, NOW + 60_000)]).toEqual([false, true]);
  });
});

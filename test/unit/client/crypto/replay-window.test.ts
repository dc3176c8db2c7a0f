import { describe, expect, it } from 'vitest';
import { ReplayWindow, WINDOW_COUNTERS } from '../../../../src/client/crypto/replay-window.ts';

describe('the replay window', () => {
  it('takes each counter once', () => {
    const window = new ReplayWindow();
    expect([0, 1, 2, 1, 0, 2, 3].map((ctr) => window.accept(ctr))).toEqual([
      'fresh',
      'fresh',
      'fresh',
      'replayed',
      'replayed',
      'replayed',
      'fresh',
    ]);
  });

  it('takes late counters, and any first one', () => {
    const window = new ReplayWindow();
    expect([5000, 4500, 4499, 6000, 5999].map((ctr) => window.accept(ctr))).toEqual(Array(5).fill('fresh'));
    expect([4500, 5000, 5999].map((ctr) => window.accept(ctr))).toEqual(['too_old', 'replayed', 'replayed']);
  });

  it('ends 1,023 below the highest counter', () => {
    const window = new ReplayWindow();
    window.accept(WINDOW_COUNTERS + 10);
    expect(window.check(10)).toBe('too_old');
    expect(window.check(11)).toBe('fresh');
    expect(window.accept(11)).toBe('fresh');
    expect(window.check(11)).toBe('replayed');
  });

  it.each([1, 31, 32, 1023, 1024, 1025, 2048, 2 ** 32 - 1])(
    'forgets nothing it should know after a jump of %i',
    (jump) => {
      const window = new ReplayWindow();
      window.accept(0);
      expect(window.accept(jump)).toBe('fresh');
      expect(window.check(0)).toBe(jump >= WINDOW_COUNTERS ? 'too_old' : 'replayed');
      expect(window.check(jump - 1)).toBe(jump === 1 ? 'replayed' : 'fresh');
    },
  );

  it.each([1025, 1056, 2047])('passes over no counter with the mark of one a window earlier, up to %i', (jump) => {
    const window = new ReplayWindow();
    for (let ctr = 0; ctr < WINDOW_COUNTERS; ctr++) window.accept(ctr);
    window.accept(jump);
    for (let ctr = WINDOW_COUNTERS; ctr < jump; ctr++) expect(window.check(ctr)).toBe('fresh');
  });

  it('marks nothing by looking', () => {
    const window = new ReplayWindow();
    expect([window.check(3), window.check(3), window.accept(3)]).toEqual(['fresh', 'fresh', 'fresh']);
  });
});

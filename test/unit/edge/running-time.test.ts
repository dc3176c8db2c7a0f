import { describe, expect, it } from 'vitest';
import { RunningTime } from '../../../src/edge/running-time.ts';

describe('running time', () => {
  it('is that of the clock while it is counted often', () => {
    let clockMs = 5000;
    const time = new RunningTime(() => clockMs, 250);
    for (let i = 1; i <= 20; i++) {
      clockMs += 50;
      expect(time.nowMs()).toBe(i * 50);
      expect(time.advance()).toBe(50);
    }
  });

  it('takes a standstill for one step, however long it was', () => {
    let clockMs = 5000;
    const time = new RunningTime(() => clockMs, 250);
    clockMs += 100;
    time.advance();
    clockMs += 15_000;
    expect(time.nowMs()).toBe(350);
    expect(time.advance()).toBe(250);
    clockMs += 50;
    expect(time.nowMs()).toBe(400);
  });

  it('never goes back', () => {
    let clockMs = 0;
    const time = new RunningTime(() => clockMs, 250);
    let lastMs = 0;
    for (let i = 0; i < 1000; i++) {
      clockMs += (i * 37) % 400;
      if (i % 3 === 0) time.advance();
      expect(time.nowMs()).toBeGreaterThanOrEqual(lastMs);
      lastMs = time.nowMs();
    }
  });
});

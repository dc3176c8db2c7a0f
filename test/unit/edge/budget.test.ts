import { beforeEach, describe, expect, it } from 'vitest';
import { Budget } from '../../../src/edge/budget.ts';
import { Counters } from '../../../src/telemetry/counters.ts';
import type { Logger } from '../../../src/telemetry/logger.ts';

const LIMITS = {
  maxConnections: 3,
  maxUnauthenticated: 16,
  maxMemoryBytes: 2 ** 32,
  maxMessageBytes: 262_144,
};

describe('the budget of sockets', () => {
  let nowMs: number;
  let lines: string[];
  let counters: Counters;
  let budget: Budget;
  const start = (maxConnections = LIMITS.maxConnections): void => {
    const log = (_: unknown, text: string): void => void lines.push(text);
    budget = new Budget({
      limits: { ...LIMITS, maxConnections },
      counters,
      logger: { info: log, warn: log } as unknown as Logger,
      nowMs: () => nowMs,
      isBehindProxy: false,
    });
  };
  beforeEach(() => {
    nowMs = 1000;
    lines = [];
    counters = new Counters();
    start();
  });

  it('says in one line that it is short of room, however often, and in one that it is over', () => {
    for (let i = 0; i < 50; i++) budget.greet('a', () => {});
    expect(lines).toEqual([expect.stringContaining('short of room')]);
    for (const laterMs of [5000, 4999, 1, 5000]) {
      nowMs += laterMs;
      budget.review();
    }
    expect(lines).toEqual([expect.stringContaining('short of room'), expect.stringContaining('room for every socket')]);
  });

  it('has room for as many as may be open, and for one more when one is gone', () => {
    for (let i = 0; i < 3; i++) budget.admit(null);
    expect(budget.isFull()).toBe(true);
    budget.release();
    expect(budget.isFull()).toBe(false);
  });

  it('tells how many sockets there are, by what they are', () => {
    const place = budget.greet('a', () => {});
    budget.greet('a', () => {});
    budget.admit(place);
    budget.linger('a');
    budget.review();
    expect(Object.fromEntries(counters.sockets)).toEqual({ unauthenticated: 1, open: 1, closing: 1 });
  });

  it('lets strangers that are closed take a quarter of the places for that, and those who were in more', () => {
    for (let i = 0; i < 4; i++) {
      expect(budget.mayLinger(false)).toBe(true);
      budget.linger('a');
    }
    expect(counters.drops.get('closing')).toBeUndefined();
    const seen = [budget.mayLinger(true)];
    if (!budget.mayLinger(false)) expect(counters.drops.get('closing')).toBe(1); // where the system cannot tell that they are gone
    expect(seen).toEqual([true]);
  });

  it('warns at the start where descriptors are too few', () => {
    budget.warnIfShort();
    expect(lines).toEqual([]);
    start(10_000_000);
    budget.warnIfShort();
    expect(lines).toEqual([expect.stringContaining('too few descriptors')]);
  });
});

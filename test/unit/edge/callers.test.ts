import { beforeEach, describe, expect, it } from 'vitest';
import { UNKNOWN } from '../../../src/edge/address-prefix.ts';
import { Callers } from '../../../src/edge/callers.ts';
import type { HttpResponse } from '../../../src/edge/uws.ts';

const CAPACITY = 64;

describe('callers', () => {
  let nowMs: number;
  let drops: string[];
  let callers: Callers;
  beforeEach(() => {
    nowMs = 0;
    drops = [];
    callers = new Callers({
      capacity: () => CAPACITY,
      prefixOf: (response) => (response as unknown as { prefix: string }).prefix,
      nowMs: () => nowMs,
      dropped: (reason) => drops.push(reason),
    });
  });

  const from = (prefix: string): boolean => callers.enter({ prefix } as unknown as HttpResponse);
  const many = (count: number, prefix: string): number => Array.from({ length: count }, () => from(prefix)).filter(Boolean).length; // biome-ignore format: one line

  it('may all come from one address while half of the places are free', () => {
    expect(many(32, 'a')).toBe(32);
    expect(callers.isCrowded()).toBe(true);
    expect(drops).toEqual([]);
  });

  it('of one address get an eighth of what is left from then on, each second', () => {
    many(32, 'a');
    expect(many(20, 'a')).toBe(4);
    expect(drops).toEqual(Array(16).fill('crowded'));
    nowMs += 1000;
    expect(many(20, 'a')).toBeGreaterThan(0);
  });

  it('of a few addresses leave places to one that has none', () => {
    many(32, 'a');
    for (const prefix of ['a', 'b', 'c', 'd', 'e', 'f']) many(50, prefix);
    expect(from('newcomer')).toBe(true);
    expect(callers.count).toBeLessThan(CAPACITY);
  });

  it('of no known address are only counted', () => {
    expect(many(100, UNKNOWN)).toBe(CAPACITY);
  });

  it('give their places back, whether they leave or are sent away', () => {
    many(40, UNKNOWN);
    callers.leave();
    callers.sendAway();
    expect([callers.count, drops]).toEqual([38, ['gave_way']]);
  });
});

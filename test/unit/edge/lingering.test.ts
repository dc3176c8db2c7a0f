import { expect, it } from 'vitest';
import { Lingering } from '../../../src/edge/lingering.ts';

const LONGEST_MS = 25_000;

it('a closed socket is counted for as long as it may live, and its address known no longer', () => {
  const lingering = new Lingering();
  lingering.add('a', 0);
  lingering.add('b', 10_000);
  lingering.add('a', 10_000);
  expect(lingering.count(LONGEST_MS - 1)).toBe(3);
  expect(lingering.count(LONGEST_MS)).toBe(2);
  expect([lingering.has('a'), lingering.has('b')]).toEqual([true, true]);
  expect(lingering.count(10_000 + LONGEST_MS)).toBe(0);
  expect([lingering.has('a'), lingering.has('b')]).toEqual([false, false]);
});

it('any number of them is forgotten', () => {
  const lingering = new Lingering();
  for (let i = 0; i < 10_000; i++) {
    lingering.add(`${i % 7}`, i);
    lingering.count(i);
  }
  expect(lingering.count(9_999)).toBe(10_000);
  expect(lingering.count(LONGEST_MS + 4999)).toBe(5000);
  expect(lingering.count(LONGEST_MS + 9999)).toBe(0);
});

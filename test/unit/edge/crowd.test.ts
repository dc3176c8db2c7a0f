import { beforeEach, describe, expect, it } from 'vitest';
import { Crowd, type Place } from '../../../src/edge/crowd.ts';

const CAPACITY = 6;

describe('a crowd', () => {
  let nowMs: number;
  let crowd: Crowd;
  let gone: string[];
  let gaveWay: number;
  beforeEach(() => {
    nowMs = 0;
    gone = [];
    gaveWay = 0;
    crowd = new Crowd(() => gaveWay++);
  });

  /** A newcomer of an address, by a name; each comes a millisecond after the one before. */
  function join(prefix: string, name: string): Place | null {
    nowMs++;
    return crowd.join(prefix, () => gone.push(name), { capacity: CAPACITY, nowMs });
  }
  function fill(...prefixes: string[]): void {
    for (const [i, prefix] of prefixes.entries()) expect(join(prefix, `${prefix}${i}`)).not.toBeNull();
  }

  it('takes everybody while there is room, from one address or many', () => {
    fill('a', 'a', 'a', 'a', 'a', 'b');
    expect(crowd.count).toBe(6);
    expect(gone).toEqual([]);
  });

  it('lets the oldest of the address that has most give way, however young, to an address that has less', () => {
    fill('b', 'a', 'a', 'a', 'b', 'c');
    expect(join('d', 'new')).not.toBeNull();
    expect(gone).toEqual(['a1']);
    expect([crowd.count, gaveWay]).toEqual([6, 1]);
  });

  it('never lets an address that has most take a place from one that has less', () => {
    fill('a', 'a', 'a', 'b', 'b', 'c');
    nowMs += 5000;
    for (let i = 0; i < 10; i++) join('a', `more${i}`);
    expect(gone).toEqual(['a0', 'a1', 'a2']); // and who came for them is too young to give way
  });

  it('refuses a newcomer where all have as much and came within the last second, and lets the oldest give way later', () => {
    fill('a', 'b', 'c', 'd', 'e', 'f');
    expect(join('g', 'new')).toBeNull();
    nowMs += 1000;
    expect(join('g', 'new')).not.toBeNull();
    expect(gone).toEqual(['a0']);
  });

  it('counts a place that is given back once, and forgets an address with its last place', () => {
    const places = [join('a', 'a'), join('a', 'b')];
    for (const place of [...places, ...places]) if (place !== null) crowd.leave(place);
    expect(crowd.count).toBe(0);
    fill('a', 'b', 'c', 'd', 'e', 'f');
    expect(join('a', 'new')).toBeNull();
    expect(gone).toEqual([]);
  });
});

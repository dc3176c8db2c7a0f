import { describe, expect, it } from 'vitest';
import { Fifo } from '../../../src/client/fifo.ts';

describe('Fifo', () => {
  it('gives what it was given, in order, whatever the mix', () => {
    const fifo = new Fifo<number>();
    const taken: (number | undefined)[] = [fifo.shift()];
    let next = 0;
    for (let round = 0; round < 50; round++) {
      for (let i = 0; i < round % 7; i++) fifo.push(next++);
      for (let i = 0; i < round % 5; i++) taken.push(fifo.shift());
    }
    expect(fifo.size).toBe(next - taken.filter((value) => value !== undefined).length);
    while (fifo.size > 0) taken.push(fifo.shift());
    expect(taken.filter((value) => value !== undefined)).toEqual(Array.from({ length: next }, (_, i) => i));
    expect([taken[0], fifo.shift(), fifo.size]).toEqual([undefined, undefined, 0]);
  });
});

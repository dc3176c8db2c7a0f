import { expect, it } from 'vitest';
import { Lru } from '../../../src/client/lru.ts';

it('a bounded map forgets what was not stored or marked for longest', () => {
  const map = new Lru<number>(2);
  map.set('a', 1);
  map.set('b', 2);
  map.set('a', 1);
  map.set('c', 3);
  expect(['a', 'b', 'c'].map((key) => map.peek(key))).toEqual([1, undefined, 3]);
  map.delete('a');
  map.set('d', 4);
  expect(['c', 'd'].map((key) => map.peek(key))).toEqual([3, 4]);
});

import { expect, it } from 'vitest';
import { InOrder } from '../../../src/client/in-order.ts';

it('results come out in the order the work was handed in, failures included', async () => {
  const inOrder = new InOrder();
  const finish: (() => void)[] = [];
  const settled: string[] = [];
  const work = (name: string, fails = false) =>
    inOrder
      .settle(new Promise<void>((resolve, reject) => finish.push(fails ? () => reject(new Error(name)) : resolve)))
      .then(
        () => settled.push(name),
        () => settled.push(`${name} failed`),
      );
  const all = [work('first'), work('second', true), work('third')];
  finish[2]?.();
  finish[1]?.();
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toEqual([]);
  finish[0]?.();
  await Promise.all(all);
  expect(settled).toEqual(['first', 'second failed', 'third']);
});

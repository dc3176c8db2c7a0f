import { expect, it } from 'vitest';
import { overwrite } from '../../../src/edge/overwrite.ts';

it.each([0, 1, 7, 152, 1023, 1024, 1025, 70_000])('leaves %i zeros, and what lies beside them as it was', (length) => {
  const all = new Uint8Array(length + 20).fill(0xff);
  overwrite(all.subarray(10, 10 + length));
  expect(all.subarray(10, 10 + length).every((byte) => byte === 0)).toBe(true);
  expect([...all.subarray(0, 10), ...all.subarray(10 + length)]).toEqual(Array(20).fill(0xff));
});

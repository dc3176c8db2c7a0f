import { describe, expect, it } from 'vitest';
import { pack } from '../../../src/edge/pack.ts';

const CORK_BYTES = 16 * 1024;
const framesOf = (...sizes: readonly number[]): Uint8Array[] =>
  sizes.map((size, i) => new Uint8Array(size).fill(i + 1));
const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe('packed replies', () => {
  it.each([[[]], [[10]], [[10, 20, 30]], [[9000, 9000, 10]], [[20_000, 5, 20_000]]])(
    'are all bytes in order, each message below the cork buffer or one frame: %j',
    (sizes) => {
      const frames = framesOf(...sizes);
      const all = Buffer.concat(frames).toString('hex');
      const messages = [...pack(frames)].length;
      const again = framesOf(...sizes);
      const copies: Buffer[] = [];
      for (const message of pack(again)) copies.push(Buffer.from(message));
      expect(Buffer.concat(copies).toString('hex')).toBe(all);
      expect(copies).toHaveLength(messages);
      for (const { length } of copies) expect(length < CORK_BYTES || sizes.includes(length)).toBe(true);
    },
  );

  it('are overwritten when they were sent, also by one who stops', () => {
    const frames = framesOf(9000, 7000, 9000, 9000);
    const messages: Uint8Array[] = [];
    for (const message of pack(frames)) {
      expect(isZero(message)).toBe(false);
      messages.push(message);
      if (messages.length === 2) break;
    }
    expect(messages.every(isZero)).toBe(true);
    expect(frames.slice(0, 2).every(isZero)).toBe(true);
  });
});

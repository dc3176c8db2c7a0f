import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader } from '../../../../src/client/crypto/header.ts';
import { fromHex, readSframeVectors, toHex } from './vectors.ts';

describe('the header', () => {
  const { header: vectors } = readSframeVectors();

  it('is tried with every vector of the RFC', () => {
    expect(vectors).toHaveLength(289);
  });

  it.each(vectors)('of KID $kid and CTR $ctr is $encoded both ways', ({ kid, ctr, encoded }) => {
    expect(toHex(encodeHeader(kid, ctr))).toBe(encoded);
    const { length } = fromHex(encoded);
    expect(decodeHeader(fromHex(`${encoded}ff00`))).toEqual({ kid, ctr, length });
  });

  it.each(vectors)('$encoded is refused when it is cut short', ({ encoded }) => {
    const bytes = fromHex(encoded);
    for (let length = 0; length < bytes.length; length++)
      expect(decodeHeader(bytes.subarray(0, length))).toBeUndefined();
  });

  it.each([
    ['a KID below 8 in a byte', '8007'],
    ['a CTR below 8 in a byte', '0807'],
    ['a KID with a leading zero', '900011'],
    ['a CTR with a leading zero', '090011'],
    ['zeros alone', `f0${'00'.repeat(8)}`],
  ])('is refused with %s', (_what, hex) => {
    expect(decodeHeader(fromHex(hex))).toBeUndefined();
  });
});

import { describe, expect, it } from 'vitest';
import { checkPadding, type Padding, pad, padmeBytes, unpad } from '../../../../src/client/crypto/padding.ts';
import { fromHex, toHex } from './vectors.ts';

describe('padding', () => {
  it('puts the kind first, then the data, then 80 and zeros', () => {
    expect(toHex(pad(1, fromHex('aabb'), [8]))).toBe('01aabb8000000000');
  });

  it.each([
    [0, 'none', 2],
    [100, 'none', 102],
    [0, 'padme', 2],
    [7, 'padme', 10],
    [98, 'padme', 104],
    [0, [16, 64], 16],
    [14, [16, 64], 16],
    [15, [16, 64], 64],
    [63, [16, 64], 128],
    [127, [16, 64], 192],
  ] as const)('makes %i bytes of data with %j into %i', (dataBytes, padding, paddedBytes) => {
    const data = new Uint8Array(dataBytes).fill(0x80);
    const padded = pad(0, data, padding);
    expect(padded).toHaveLength(paddedBytes);
    expect(unpad(padded)).toEqual({ kind: 0, data });
  });

  it.each([
    [0, 0],
    [1, 1],
    [2, 2],
    [8, 8],
    [9, 10],
    [100, 104],
    [1000, 1024],
    [1025, 1088],
    [65_537, 67_584],
    [1_000_000, 1_015_808],
  ])('gives %i bytes the size %i by Padmé', (length, size) => {
    expect(padmeBytes(length)).toBe(size);
  });

  it.each([
    ['nothing', ''],
    ['zeros alone', '0000000000'],
    ['no marker', '00aabb'],
    ['a wrong marker', '00aa81'],
    ['a marker and no kind', '8000'],
    ['a marker alone', '80'],
    ['zeros behind something else', '00aa010000'],
  ])('is refused when it is %s', (_what, hex) => {
    expect(unpad(fromHex(hex))).toBeUndefined();
  });

  it('takes data that ends like padding as data', () => {
    const data = fromHex('800000');
    expect(unpad(pad(0, data, 'padme'))?.data).toEqual(data);
  });

  it.each([[[]], [[0]], [[-1]], [[1.5]], [[Number.NaN]], [[64, 64]], [[64, 16]], ['padmé' as Padding]])(
    'refuses the setting %j',
    (setting) => {
      expect(() => checkPadding(setting)).toThrow(expect.objectContaining({ code: 'bad_padding' }));
    },
  );
});

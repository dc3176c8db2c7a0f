import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import type { Kind } from '../../../src/protocol/frames.ts';
import { isKind, valueEnd } from '../../../src/protocol/scan.ts';

const KINDS: readonly Kind[] = ['uint', 'uint?', 'str', 'str?', 'bin', 'bin?', 'map'];

/** One value of every format of the msgpack specification, with what it may stand for. */
const FORMATS: readonly (readonly [name: string, hex: string, kinds: readonly Kind[]])[] = [
  ['positive fixint', '7f', ['uint', 'uint?']],
  ['fixmap', '81a16101', ['map']],
  ['fixarray', '920102', []],
  ['fixstr', 'a3616263', ['str', 'str?']],
  ['empty fixstr', 'a0', ['str', 'str?']],
  ['longest fixstr', `bf${'61'.repeat(31)}`, ['str', 'str?']],
  ['nil', 'c0', ['uint?', 'str?', 'bin?']],
  ['false', 'c2', []],
  ['true', 'c3', []],
  ['bin 8', 'c40301c1ff', ['bin', 'bin?']],
  ['bin 16', `c50003${'00'.repeat(3)}`, ['bin', 'bin?']],
  ['bin 32', `c600000003${'00'.repeat(3)}`, ['bin', 'bin?']],
  ['ext 8', 'c70205aabb', []],
  ['ext 16', 'c8000205aabb', []],
  ['ext 32', 'c90000000205aabb', []],
  ['float 32', 'ca3f800000', []],
  ['float 64', 'cb3ff0000000000000', []],
  ['uint 8', 'ccff', ['uint', 'uint?']],
  ['uint 16', 'cdffff', ['uint', 'uint?']],
  ['uint 32', 'ceffffffff', ['uint', 'uint?']],
  ['uint 64', 'cf001fffffffffffff', ['uint', 'uint?']],
  ['int 8', 'd0ff', []],
  ['int 16', 'd1ffff', []],
  ['int 32', 'd2ffffffff', []],
  ['int 64', 'd3ffffffffffffffff', []],
  ['fixext 1', 'd405aa', []],
  ['fixext 2', `d505${'aa'.repeat(2)}`, []],
  ['fixext 4', `d605${'aa'.repeat(4)}`, []],
  ['fixext 8', `d705${'aa'.repeat(8)}`, []],
  ['fixext 16', `d805${'aa'.repeat(16)}`, []],
  ['str 8', 'd903616263', ['str', 'str?']],
  ['str 16', 'da0003616263', ['str', 'str?']],
  ['str 32', 'db00000003616263', ['str', 'str?']],
  ['array 16', 'dc00020102', []],
  ['array 32', 'dd000000020102', []],
  ['map 16', 'de0001a16101', ['map']],
  ['map 32', 'df00000001a16101', ['map']],
  ['negative fixint', 'ff', []],
];

describe.each(FORMATS)('msgpack %s', (_, hex, kinds) => {
  const value = Buffer.from(hex, 'hex');

  it('ends where the specification says, whatever follows', () => {
    const among = Buffer.concat([Buffer.from('c1c1', 'hex'), value, Buffer.from('c1', 'hex')]);
    expect(valueEnd(among, 2, among.length)).toBe(2 + value.length);
    expect(valueEnd(value, 0, value.length)).toBe(value.length);
  });

  it('is refused when cut short anywhere', () => {
    for (let end = 0; end < value.length; end++) expect(valueEnd(value, 0, end)).toBe(-1);
  });

  it('stands for exactly what it is', () => {
    expect(KINDS.filter((kind) => isKind(value, 0, kind))).toEqual(kinds);
  });
});

describe('msgpack', () => {
  it('is refused where it holds the byte c1, which means nothing', () => {
    for (const hex of ['c1', '9201c1', '81a161c1'])
      expect(valueEnd(Buffer.from(hex, 'hex'), 0, hex.length / 2)).toBe(-1);
    expect(KINDS.filter((kind) => isKind(Uint8Array.of(0xc1), 0, kind))).toEqual([]);
  });

  it('is followed through values that another library nests', () => {
    const bytes = encode({ list: [1, -1, 2.5, 'text', new Uint8Array(300), { deep: [null, true] }], big: 2 ** 40 });
    expect(valueEnd(bytes, 0, bytes.length)).toBe(bytes.length);
  });

  it('is followed 8 arrays deep and no deeper', () => {
    const nested = (depth: number): Uint8Array => Uint8Array.from([...Array(depth).fill(0x91), 0x01]);
    expect(valueEnd(nested(8), 0, 9)).toBe(9);
    expect(valueEnd(nested(9), 0, 10)).toBe(-1);
    expect(valueEnd(nested(100_000), 0, 100_001)).toBe(-1);
  });

  it.each(['ddffffffff01', 'dfffffffff01', 'dbffffffff61', 'c6ffffffff00', 'c9ffffffff0500'])(
    'that claims more than there is, %s, is refused',
    (hex) => {
      const bytes = Buffer.from(hex, 'hex');
      expect(valueEnd(bytes, 0, bytes.length)).toBe(-1);
    },
  );
});

import { decode, encode } from '@msgpack/msgpack';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { encodeFrame, readClientFrame, readRelayFrame } from '../../../src/protocol/codec.ts';
import type { ClientFrame, RelayFrame } from '../../../src/protocol/frames.ts';

const TOKEN = 'eyJ0.eyJ1.sig-'.repeat(300);
const CLIENT_FRAMES: readonly ClientFrame[] = [
  [1, 1, TOKEN],
  [1, 1, null],
  [2, 0, 'room.42', 15],
  [3, 0xffff_ffff, 0x7fff_ffff],
  [5, 70_000, TOKEN],
  [5, 1, null],
  [6, 200],
];
const LIMITS = { maxFrameBytes: 65_536, maxBufferedBytes: 2 ** 40 };
const RELAY_FRAMES: readonly RelayFrame[] = [
  [16, 0x7fff_ffff, { boot: 'b', expiry: 1_790_000_000, limits: LIMITS }],
  [17, 1, 2, 3, 2 ** 32, 5],
  [18, null, 2, 200, 'detached'],
  [18, 7, 2, 403, 'forbidden'],
  [19, 1, 2 ** 33 + 1],
  [20, 0xffff_ffff],
  [21, null, 400, 'protocol_error', 'why', null],
  [21, 4, 404, 'not_attached', 'why', 0xffff_ffff],
  [22, 1, 2 ** 53 - 1, 0],
  [23, 1, 2],
  [24, 1, 100_000],
  [25, 30_000],
  [26, 0, 'shutdown'],
  [27, 1, 'room.42', 2 ** 32 + 1],
];

describe('a frame the relay encodes', () => {
  it.each([...CLIENT_FRAMES, ...RELAY_FRAMES].map((frame) => [frame[0], frame] as const))(
    'of type %d reads the same in another msgpack library',
    (_, frame) => {
      expect(decode(encodeFrame(frame))).toEqual(frame);
    },
  );

  it('holds integers over 32 bits as u64, not as a float', () => {
    for (const seq of [2 ** 32, 2 ** 40 + 1, 2 ** 53 - 1]) {
      const bytes = Buffer.from(encodeFrame([22, 1, seq, 0]));
      expect(bytes.toString('hex')).toBe(`941601cf${seq.toString(16).padStart(16, '0')}00`);
    }
  });

  it('holds integers over 32 bits in the info of WELCOME as u64 too, for its values are integers', () => {
    const frame = encodeFrame([16, 1, { boot: 'b', expiry: 1, limits: { bytesPerSecond: 2 ** 40 } }]);
    expect(Buffer.from(frame).toString('hex')).toContain('cf0000010000000000');
  });

  it('is not overwritten by the next one', () => {
    const first = encodeFrame([6, 1]);
    for (let ref = 0; ref < 5000; ref++) encodeFrame([6, ref]);
    expect(decode(first)).toEqual([6, 1]);
  });
});

describe("a client's frame", () => {
  it.each(CLIENT_FRAMES.map((frame) => [frame[0], frame] as const))(
    'of type %d is read where it stands',
    (_, frame) => {
      const bytes = encode(frame);
      const among = Buffer.concat([Buffer.from('c0', 'hex'), bytes, Buffer.from('9206', 'hex')]);
      expect(readClientFrame(among, 1)).toEqual({ frame, end: 1 + bytes.length });
    },
  );

  it.each(['920605', '9206cc05', '9206cd0005', '9206ce00000005', '9206cf0000000000000005'])(
    'may hold an integer of any width: %s',
    (hex) => {
      expect(readClientFrame(Buffer.from(hex, 'hex'), 0)).toEqual({ frame: [6, 5], end: hex.length / 2 });
    },
  );

  it.each(['940201a16101', '940201d9016101', '940201da00016101', '940201db000000016101'])(
    'may hold a str of any width: %s',
    (hex) => {
      expect(readClientFrame(Buffer.from(hex, 'hex'), 0)).toEqual({ frame: [2, 1, 'a', 1], end: hex.length / 2 });
    },
  );

  it.each([
    ['nothing', ''],
    ['no array', '06'],
    ['a map', '8206'],
    ['an empty array', '90'],
    ['an array of the type alone', '9106'],
    ['an array that is cut short', '9206'],
    ['one element too many', '93060101'],
    ['one element too few', '92020a'],
    ['a type that is not a positive fixint', '92cc0601'],
    ['an unknown type', '920701'],
    ["a relay's type", '921401'],
    ['a MESSAGE, which is read in place', '960401000000c0c400'],
    ['a negative ref', '9206ff'],
    ['a signed ref', '9206d0ff'],
    ['a ref that is a float', '9206cb3ff0000000000000'],
    ['a ref that is a str', '9206a131'],
    ['a ref that is nil', '9206c0'],
    ['a ref over 2^53-1', '9206cf0020000000000000'],
    ['the largest u64 as ref', '9206cfffffffffffffffff'],
    ['a token that is a bin', '930101c40161'],
    ['a token that is a number', '93010105'],
    ['a channel that is nil', '940201c001'],
  ])('is refused when it is %s', (_, hex) => {
    expect(readClientFrame(Buffer.from(hex, 'hex'), 0)).toBeTypeOf('string');
  });

  it('may hold an integer of 2^53-1', () => {
    expect(readClientFrame(Buffer.from('9206cf001fffffffffffff', 'hex'), 0)).toMatchObject({ frame: [6, 2 ** 53 - 1] });
  });
});

describe("a relay's frame", () => {
  it.each(RELAY_FRAMES.map((frame) => [frame[0], frame] as const))('of type %d is read by a client', (_, frame) => {
    expect(readRelayFrame(encode(frame), 0)).toEqual({ frame, end: encode(frame).length });
  });

  it.each([[[28, 1, 'later', { key: [1.5] }]], [[30]], [[29, ...Array(14).fill(0)]]])(
    'of a type this version does not know is skipped: %j',
    (frame) => {
      const bytes = encode(frame);
      expect(readRelayFrame(bytes, 0)).toEqual({ frame: undefined, end: bytes.length });
    },
  );
});

describe('msgpackr', () => {
  it('holds nothing of a frame it has encoded', () => {
    for (const frame of RELAY_FRAMES) encodeFrame(frame);
    const held = Buffer.from(pack(null).buffer).toString('latin1'); // its one buffer, whoever calls
    for (const text of ['room.42', 'shutdown', 'not_attached', 'detached', 'maxFrameBytes'])
      expect(held).not.toContain(text);
  });
});

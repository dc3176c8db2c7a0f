import { decode, decodeMulti, encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isChannelName } from '../../src/protocol/channel.ts';
import { encodeFrame, readClientFrame, readRelayFrame } from '../../src/protocol/codec.ts';
import type { ClientFrame } from '../../src/protocol/frames.ts';
import { isMessage, messageEnd } from '../../src/protocol/message.ts';
import { valueEnd } from '../../src/protocol/scan.ts';
import { message } from '../support/client.ts';

const uint = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.maxSafeNat());
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'grapheme', maxLength: 300 }));
const token = fc.option(text);
const clientFrames: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.tuple(fc.constant(1 as const), uint, token),
  fc.tuple(fc.constant(2 as const), uint, text, uint),
  fc.tuple(fc.constant(3 as const), uint, uint),
  fc.tuple(fc.constant(5 as const), uint, token),
  fc.tuple(fc.constant(6 as const), uint),
);
const bin = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(254, 255, 256, 257, 65_535, 65_536).map((n) => new Uint8Array(n)),
);
const messages = fc
  .tuple(fc.integer({ min: 0, max: 2 ** 32 - 1 }), bin, fc.option(bin))
  .map(([id, body, envelope]) => message(id, body, envelope));
/** A byte that means something to msgpack is more likely than another. */
const tags = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.integer({ min: 0xc0, max: 0xdf }),
  fc.integer({ min: 0x90, max: 0x96 }),
  fc.nat(6),
);
const garbage = fc.array(tags, { maxLength: 60 }).map((bytes) => Uint8Array.from(bytes));
/** A frame with some bytes changed, cut or added. */
const mutated = (frames: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc.tuple(frames, fc.array(fc.tuple(fc.nat(40), tags), { maxLength: 3 }), fc.nat(30)).map(([frame, changes, cut]) => {
    const bytes = Uint8Array.from(frame);
    for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte;
    return cut % 3 === 0 ? bytes.subarray(0, Math.max(0, bytes.length - cut)) : bytes;
  });
const RUNS = { numRuns: 3000 };

describe('a MESSAGE', () => {
  it('is accepted exactly when it is the canonical encoding of what another library reads in it', () => {
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(messages, mutated(messages), mutated(messages)), (bytes) => {
        const end = isMessage(bytes, 0) ? messageEnd(bytes, 0) : -1;
        if (end >= 0) accepted++;
        expect(end).toBe(canonicalEnd(Uint8Array.from(bytes)));
      }),
      RUNS,
    );
    expect(accepted).toBeGreaterThan(500);
  });
});

describe("a client's frame", () => {
  it('is read as another library wrote it, wherever it stands', () => {
    fc.assert(
      fc.property(clientFrames, garbage, garbage, (frame, before, after) => {
        const bytes = encode(frame);
        const among = Buffer.concat([before, bytes, after]);
        expect(readClientFrame(among, before.length)).toEqual({ frame, end: before.length + bytes.length });
      }),
      RUNS,
    );
  });

  it('is encoded so that another library and the relay read the same', () => {
    fc.assert(
      fc.property(clientFrames, (frame) => {
        const bytes = encodeFrame(frame);
        expect(decode(bytes)).toEqual(frame);
        expect(readClientFrame(bytes, 0)).toEqual({ frame, end: bytes.length });
      }),
      RUNS,
    );
  });

  it('never throws whatever the bytes are, and where it is read another library reads the same', () => {
    const inputs = fc.oneof(
      garbage,
      fc.uint8Array({ maxLength: 80 }),
      mutated(clientFrames.map((frame) => encode(frame))),
    );
    fc.assert(
      fc.property(inputs, fc.nat(3), (bytes, start) => {
        readRelayFrame(bytes, start);
        const read = readClientFrame(bytes, start);
        if (typeof read === 'string') return;
        expect(read.end).toBeGreaterThan(start);
        expect(read.end).toBeLessThanOrEqual(bytes.length);
        const same = decode(bytes.slice(start, read.end));
        if (isUtf8([same, read.frame])) expect(read.frame).toEqual(same);
        else expect(read.frame?.some((value) => typeof value === 'string' && isChannelName(value))).toBe(false);
      }),
      { numRuns: 20_000 },
    );
  });
});

describe('a msgpack value', () => {
  it('ends where another library stops reading', () => {
    const values = fc.anything({
      maxDepth: 3,
      withTypedArray: false,
      values: [fc.string(), uint, fc.boolean(), fc.double(), fc.constant(null)],
    });
    fc.assert(
      fc.property(values, garbage, (value, after) => {
        const bytes = encode(value);
        expect(valueEnd(Buffer.concat([bytes, after]), 0, bytes.length + after.length)).toBe(bytes.length);
      }),
      RUNS,
    );
  });
});

/** Whether every str was UTF-8, to both libraries; what stands for other bytes is up to each. */
function isUtf8(readings: unknown): boolean {
  return !JSON.stringify(readings).includes('\ufffd');
}

/** Where the first value ends, if it is a MESSAGE and its one legal encoding: it is written again and compared. */
function canonicalEnd(bytes: Uint8Array): number {
  let value: unknown;
  try {
    value = decodeMulti(bytes, { useBigInt64: true }).next().value;
  } catch {
    return -1;
  }
  if (!Array.isArray(value) || value.length !== 6 || value[0] !== 4) return -1;
  const [, channelId, seq, sender, envelope, body] = value;
  const isBin = (part: unknown): part is Uint8Array => part instanceof Uint8Array;
  if (typeof channelId !== 'number' || typeof seq !== 'bigint' || typeof sender !== 'number') return -1;
  if ((envelope !== null && !isBin(envelope)) || !isBin(body) || seq < 0n) return -1;
  const isUint32 = (id: number): boolean => id === id >>> 0; // a float can stand there too, of any size
  if (!isUint32(channelId) || !isUint32(sender)) return -1;
  const expected = message(channelId, body, envelope);
  expected.writeBigUInt64BE(seq, 8);
  expected.writeUInt32BE(sender, 17);
  return expected.equals(bytes.subarray(0, expected.length)) ? expected.length : -1;
}

import { encode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFrames } from '../../../src/client/wire.ts';
import { readRelayFrame } from '../../../src/protocol/codec.ts';

const uint = fc.oneof(fc.nat(200), fc.nat(), fc.maxSafeNat());
const text = fc.string({ maxLength: 300 });
const bytes = fc.uint8Array({ maxLength: 400 });
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(value, { nil: null });

const frame = fc.oneof(
  fc.tuple(fc.constant(4), uint, uint, uint, maybe(bytes), bytes),
  fc.tuple(fc.constant(17), uint, uint, uint, uint, uint),
  fc.tuple(fc.constant(18), maybe(uint), uint, uint, text),
  fc.tuple(fc.constant(21), maybe(uint), uint, text, text, maybe(uint)),
  fc.tuple(fc.constant(22), uint, uint, uint),
  fc.tuple(fc.constant(27), uint, text, uint),
);

describe('what the SDK reads', () => {
  it('is what another msgpack library wrote, whatever stands beside it', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), (frames) => {
        const message = new Uint8Array(Buffer.concat(frames.map((each) => encode(each))));
        expect([...readFrames(message)]).toEqual(frames);
      }),
      { numRuns: 3000 },
    );
  });

  it('is what the codec of the whole protocol reads, and nothing where that reads nothing, for any bytes', () => {
    const damaged = fc
      .tuple(
        fc.array(frame, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
      )
      .map(([frames, changes, cut]) => {
        const message = Buffer.concat(frames.map((each) => encode(each)));
        for (const [at, value] of changes) message[at % message.length] = value;
        return message.subarray(0, cut % 3 === 0 ? cut % message.length : message.length);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        const message = new Uint8Array(bytes);
        expect(outcome(() => readFrames(message))).toEqual(outcome(() => readAll(message)));
      }),
      { numRuns: 20_000 },
    );
  });
});

/** The frames, or that they cannot be read; any other error fails. WELCOME, whose info the SDK reads its own way, by its type alone. */
function outcome(read: () => Iterable<readonly unknown[]>): unknown {
  try {
    return [...read()].map((each) => (each[0] === 16 ? [16] : each));
  } catch (error) {
    if (error instanceof TypeError) return 'unreadable';
    throw error;
  }
}

function readAll(message: Uint8Array): (readonly unknown[])[] {
  const frames: (readonly unknown[])[] = [];
  for (let pos = 0; pos < message.length; ) {
    const read = readRelayFrame(message, pos);
    if (typeof read === 'string') throw new TypeError(read);
    if (read.frame !== undefined) frames.push(read.frame);
    pos = read.end;
  }
  return frames;
}

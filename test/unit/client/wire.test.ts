import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { encodeRequest, readFrames } from '../../../src/client/wire.ts';
import { readClientFrame } from '../../../src/protocol/codec.ts';
import type { ClientFrame } from '../../../src/protocol/frames.ts';
import { readVectors } from '../../support/vectors.ts';

const { frames, batches, ignored, invalid } = readVectors();
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const small = frames.flatMap(({ name, direction, hex, values }) =>
  hex === undefined ? [] : [{ name, direction, hex, values }],
);

/** Every frame of a message. */
const all = (bytes: Uint8Array): unknown[][] => [...readFrames(bytes)].map((frame) => [...frame]);

/** WELCOME as the SDK keeps it: the parts of info that this version knows. */
function known(values: readonly unknown[]): readonly unknown[] {
  if (values[0] !== 16) return values;
  const { boot, expiry, limits } = values[2] as { boot: string; expiry: number; limits: Record<string, unknown> };
  return [16, values[1], { boot, expiry, limits }];
}

describe("the SDK's few kinds of msgpack", () => {
  it.each(small.filter(({ direction }) => direction === 'to-client'))('read the vector $name', ({ hex, values }) => {
    expect(all(bytesOf(hex))).toEqual([known(values)]);
  });

  it.each(batches.filter(({ direction }) => direction === 'to-client'))(
    'read the batch $name',
    ({ hex, frames: expected }) => {
      expect(all(bytesOf(hex))).toEqual(expected.filter(([type]) => type !== 99).map(known)); // 99 is no type of this version
    },
  );

  it.each(ignored)('leave out $name', ({ hex }) => {
    expect(all(Buffer.concat([bytesOf(hex), encode([20, 7])]))).toEqual([[20, 7]]);
  });

  it.each(small.filter(({ direction, values }) => direction === 'to-relay' && values[0] !== 4))(
    'write what the relay reads as the vector $name',
    ({ values }) => {
      const bytes = encodeRequest(values as unknown as ClientFrame);
      expect(readClientFrame(bytes, 0)).toEqual({ frame: values, end: bytes.length });
    },
  );

  it('refuse bytes that are no frames', () => {
    const cutShort = small
      .filter(({ direction }) => direction === 'to-client')
      .map(({ hex }) => bytesOf(hex).slice(0, -1));
    expect(cutShort.length).toBeGreaterThan(10);
    for (const bytes of [...cutShort, bytesOf('c1'), bytesOf('80'), bytesOf('90'), bytesOf('91ff')])
      expect(() => all(Buffer.concat([encode([20, 1]), bytes]))).toThrow(TypeError);
    const both = invalid.filter(({ reason }) => /cut short|not msgpack/.test(reason));
    for (const { hex } of both) expect(() => all(bytesOf(hex))).toThrow(TypeError);
  });

  it('take a name such as __proto__ in info for a name', () => {
    const info = new Map<string, unknown>([
      ['boot', 'b'],
      ['expiry', 1],
      [
        'limits',
        new Map<string, unknown>([
          ['__proto__', 5],
          ['maxFrameBytes', 'many'],
        ]),
      ],
      ['__proto__', 6],
    ]);
    const [frame] = all(Buffer.concat([Uint8Array.of(0x93, 16, 7), map(info)]));
    expect(Object.entries((frame as [number, number, { limits: object }])[2].limits)).toEqual([['__proto__', 5]]);
    expect(({} as { maxFrameBytes?: unknown }).maxFrameBytes).toBeUndefined();
  });
});

/** A map as msgpack, also with names that objects cannot have. */
function map(entries: ReadonlyMap<string, unknown>): Buffer {
  const parts = [...entries].flatMap(([key, value]) => [
    encode(key),
    value instanceof Map ? map(value) : encode(value),
  ]);
  return Buffer.concat([Uint8Array.of(0x80 | entries.size), ...parts]);
}

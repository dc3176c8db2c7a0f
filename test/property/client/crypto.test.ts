import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blindName } from '../../../src/client/crypto/blind.ts';
import { ChannelCipher } from '../../../src/client/crypto/channel-cipher.ts';
import { ChannelKey } from '../../../src/client/crypto/channel-key.ts';
import { decodeHeader, encodeHeader } from '../../../src/client/crypto/header.ts';
import { KeyRing } from '../../../src/client/crypto/key-ring.ts';
import { type Padding, pad, padmeBytes, unpad } from '../../../src/client/crypto/padding.ts';
import { ReplayWindow, WINDOW_COUNTERS } from '../../../src/client/crypto/replay-window.ts';
import { matches, parsePattern } from '../../../src/protocol/channel.ts';
import { NAMES, patterns } from '../names.ts';

const RUNS = { numRuns: 1000 };
const MAX_64 = 2n ** 64n - 1n;
const numbers64 = fc.oneof(fc.bigInt(0n, 16n), fc.bigInt(0n, 2n ** 32n), fc.bigInt(0n, MAX_64));
const buckets = fc
  .uniqueArray(fc.integer({ min: 1, max: 600 }), { minLength: 1, maxLength: 5 })
  .map((sizes) => sizes.sort((a, b) => a - b));
const paddings: fc.Arbitrary<Padding> = fc.oneof(fc.constant('padme'), fc.constant('none'), buckets);
const data = fc.oneof(
  fc.uint8Array({ maxLength: 500 }),
  fc.array(fc.constantFrom(0, 0x80), { maxLength: 40 }).map((bytes) => Uint8Array.from(bytes)),
);

describe('the header codec', () => {
  it('reads what it wrote, whatever follows', () => {
    fc.assert(
      fc.property(numbers64, numbers64, fc.uint8Array({ maxLength: 9 }), (kid, ctr, rest) => {
        const header = encodeHeader(kid, ctr);
        expect(decodeHeader(Uint8Array.of(...header, ...rest))).toEqual({ kid, ctr, length: header.length });
      }),
      RUNS,
    );
  });

  it('reads nothing that it would have written otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 18 }), (bytes) => {
        const header = decodeHeader(bytes);
        if (header === undefined) return;
        expect(encodeHeader(header.kid, header.ctr)).toEqual(bytes.slice(0, header.length));
      }),
      { numRuns: 5000 },
    );
  });
});

describe('padding', () => {
  it('gives back the kind and the data', () => {
    fc.assert(
      fc.property(fc.nat(255), data, paddings, (kind, bytes, padding) => {
        expect(unpad(pad(kind, bytes, padding))).toEqual({ kind, data: bytes });
      }),
      RUNS,
    );
  });

  it('has, by Padmé, the smallest size whose mantissa is no longer than its exponent, for at most 12 % more', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 2, max: 5000 }), fc.integer({ min: 2, max: 2 ** 30 })), (length) => {
        const size = padmeBytes(length);
        expect(size).toBe(padmeByThePaper(length));
        expect(size).toBeGreaterThanOrEqual(length);
        expect(size / length).toBeLessThanOrEqual(1.12);
        expect(padmeBytes(size)).toBe(size);
        expect(padmeBytes(length - 1)).toBeLessThanOrEqual(size);
      }),
      RUNS,
    );
  });

  it('fills, with a list, the smallest size that holds it, and above the last a multiple of that', () => {
    fc.assert(
      fc.property(buckets, fc.nat(2000), (sizes, dataBytes) => {
        const padded = pad(0, new Uint8Array(dataBytes), sizes).length;
        const last = sizes.at(-1) ?? 0;
        const all = [...sizes, ...Array.from({ length: 2003 }, (_, i) => (i + 2) * last)];
        expect(padded).toBe(all.find((size) => size >= dataBytes + 2));
      }),
      RUNS,
    );
  });

  it('takes no bytes for a plaintext but those that pad could have made', () => {
    fc.assert(
      fc.property(data, (bytes) => {
        const content = unpad(bytes);
        if (content === undefined) return;
        const unpadded = [content.kind, ...content.data, 0x80];
        expect([...bytes]).toEqual([...unpadded, ...Array(bytes.length - unpadded.length).fill(0)]);
      }),
      RUNS,
    );
  });
});

describe('the replay window', () => {
  const steps = fc.array(
    fc.record({
      move: fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -1100, max: 1500 })),
      isLook: fc.boolean(),
    }),
    { maxLength: 300 },
  );

  it('says of every counter what a set of all counters seen says', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), steps, (start, moves) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let ctr = start;
        for (const { move, isLook } of moves) {
          ctr = Math.max(0, ctr + move);
          const highest = Math.max(-1, ...seen);
          const expected = seen.has(ctr) ? 'replayed' : 'fresh';
          expect(isLook ? window.check(ctr) : window.accept(ctr)).toBe(
            highest - ctr >= WINDOW_COUNTERS ? 'too_old' : expected,
          );
          if (!isLook && highest - ctr < WINDOW_COUNTERS) seen.add(ctr);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('blind names', () => {
  it('are matched by blind patterns exactly when the names are by the patterns', async () => {
    const key = new Uint8Array(32).fill(3);
    const parsed = async (segments: readonly string[]) => parsePattern(await blindName(key, segments.join('.'))) ?? [];
    const blindNames = await Promise.all(NAMES.map(parsed));
    await fc.assert(
      fc.asyncProperty(patterns, async (pattern) => {
        const blindPattern = await parsed(pattern);
        expect(blindPattern.length).toBe(pattern.length);
        expect(blindNames.map((name) => matches(blindPattern, name))).toEqual(
          NAMES.map((name) => matches(pattern, name)),
        );
      }),
      { numRuns: 100 },
    );
  });
});

describe('a channel cipher', () => {
  const key = ChannelKey.random();
  const channel = 'room.a';

  it('opens what another sealed, in any order, each once', async () => {
    const frames = fc.array(fc.tuple(data, fc.option(data), fc.constantFrom('message', 'presence')), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        frames,
        paddings,
        fc.nat(2 ** 31 - 1),
        fc.infiniteStream(fc.nat()),
        async (all, padding, sender, dice) => {
          const alice = new ChannelCipher({ channel, ring: new KeyRing(key), padding, maxFramesPerKid: 5 });
          const bob = new ChannelCipher({ channel, ring: new KeyRing(key) });
          alice.begin(sender);
          const sealed = await Promise.all(
            all.map(async ([bytes, envelope, kind]) => ({
              frame: { sender, envelope, body: await alice.seal(kind, bytes, envelope) },
              expected: { kind, data: bytes },
            })),
          );
          const shuffled = sealed
            .map((one) => ({ ...one, place: dice.next().value ?? 0 }))
            .sort((a, b) => a.place - b.place);
          for (const { frame, expected } of shuffled) expect(await bob.open(frame)).toEqual(expected);
          for (const { frame } of shuffled)
            expect(await bob.open(frame)).toEqual({ kind: 'refused', reason: 'replayed' });
        },
      ),
      { numRuns: 100 },
    );
  });

  it('refuses any bytes that no member sealed, and never rejects', async () => {
    const bob = new ChannelCipher({ channel, ring: new KeyRing(key) });
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.uint8Array({ minLength: 30, maxLength: 80 }).map((bytes) => Uint8Array.of(0xe0, ...bytes)),
      fc.uint8Array({ minLength: 30, maxLength: 80 }).map((bytes) => Uint8Array.of(0xf0, ...bytes)),
    );
    await fc.assert(
      fc.asyncProperty(hostile, fc.option(data), fc.nat(), async (body, envelope, sender) => {
        expect(await bob.open({ sender, envelope, body })).toEqual({ kind: 'refused', reason: expect.any(String) });
      }),
      RUNS,
    );
  });
});

/** The definition itself, instead of its bit arithmetic: the mantissa has no more bits than it takes to write the exponent. */
function padmeByThePaper(length: number): number {
  const exponent = Math.floor(Math.log2(length));
  const exponentBits = Math.floor(Math.log2(exponent)) + 1;
  const zeroBits = exponent === 0 ? 0 : exponent - exponentBits;
  const over = length % 2 ** zeroBits;
  return over === 0 ? length : length - over + 2 ** zeroBits;
}

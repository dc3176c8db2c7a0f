import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Batch } from '../../src/core/batch.ts';
import type { Connection, Fanout } from '../../src/core/ports.ts';
import { Turn } from '../../src/core/turn.ts';

const TOPICS = ['a', 'b', 'c'] as const;
const SENDERS = [null, {}, {}] as const;
const sizes = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 2, arbitrary: fc.integer({ min: 3000, max: 9000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 16_300, max: 16_500 }) },
  { weight: 1, arbitrary: fc.integer({ min: 16_500, max: 70_000 }) },
);
const steps = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ topic: fc.constantFrom(0, 1, 2), size: sizes, sender: fc.constantFrom(0, 1, 2) }),
  },
  { weight: 3, arbitrary: fc.constant('end' as const) },
  { weight: 1, arbitrary: fc.constantFrom('flush a', 'flush all') },
);

interface Published {
  readonly bytes: Buffer;
  readonly except: Connection | null;
}

/** Runs a schedule; every frame is filled with its own number, so that a lost, doubled or moved one shows. */
function run(schedule: readonly ({ topic: number; size: number; sender: number } | string)[]) {
  const out = TOPICS.map((): Published[] => []);
  const sources: Uint8Array[] = [];
  const sent = TOPICS.map((): { bytes: Buffer; sender: Connection | null }[] => []);
  const fanout: Fanout = {
    subscribe() {},
    unsubscribe() {},
    send() {},
    room: () => 0,
    resume() {},
    publish(topic, bytes, except) {
      out[TOPICS.indexOf(topic as 'a')]?.push({ bytes: Buffer.from(bytes), except });
      sources.push(bytes);
    },
  };
  const ends: (() => void)[] = [];
  const turn = new Turn(fanout, { nowMs: () => 0, monotonicMs: () => 0 }, (end) => ends.push(end));
  const batches = TOPICS.map((topic) => new Batch(topic));
  const memory = new Uint8Array(80_000); // one receive buffer, used again for every frame, as the native one is
  let number = 0;
  for (const step of [...schedule, 'end']) {
    turn.open();
    if (typeof step === 'object') {
      const start = number % 7;
      memory.fill(0).fill((++number % 255) + 1, start, start + step.size);
      memory[start] = step.size % 251;
      sent[step.topic]?.push({
        bytes: Buffer.from(memory.subarray(start, start + step.size)),
        sender: SENDERS[step.sender] ?? null,
      });
      turn.publish(batches[step.topic] as Batch, memory, start, start + step.size, SENDERS[step.sender] ?? null);
    } else if (step === 'flush a') turn.flush(batches[0] as Batch);
    else if (step === 'flush all') turn.flushAll();
    else for (const end of ends.splice(0)) end();
  }
  return { out, sent, sources, memory };
}

describe('a turn, whatever is published', () => {
  it('loses, doubles and moves no frame of a channel', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 80 }), (schedule) => {
        const { out, sent } = run(schedule);
        for (const [i, published] of out.entries()) {
          const expected = Buffer.concat((sent[i] ?? []).map(({ bytes }) => bytes));
          expect(Buffer.concat(published.map(({ bytes }) => bytes)).equals(expected)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('leaves out of a publish only the one sender of all its frames, and cuts none in two', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 80 }), (schedule) => {
        const { out, sent } = run(schedule);
        for (const [i, published] of out.entries()) {
          const waiting = [...(sent[i] ?? [])];
          for (const { bytes, except } of published) {
            let size = 0;
            const senders = new Set<Connection | null>();
            for (let next = waiting[0]; next !== undefined && size < bytes.length; next = waiting[0]) {
              size += next.bytes.length;
              senders.add(next.sender);
              waiting.shift();
            }
            expect(size).toBe(bytes.length);
            expect(except).toBe(senders.size === 1 ? [...senders][0] : null);
            expect(senders.size === 0 || bytes.length <= 16 * 1024 - 4 || size === bytes.length).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('keeps no byte of a frame in memory of its own', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 40 }), (schedule) => {
        const { sources, memory } = run(schedule);
        const own = new Set(sources.map(({ buffer }) => buffer).filter((buffer) => buffer !== memory.buffer));
        for (const buffer of own) expect(new Uint8Array(buffer).every((byte) => byte === 0)).toBe(true);
      }),
      { numRuns: 100 },
    );
  });
});

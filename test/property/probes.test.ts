import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Probes } from '../../src/edge/probes.ts';

const SPACING_MS = 50;

/** What happens next: bytes come, the reader reads some, the relay looks, or the reader sends a pong. */
const event = fc.oneof(
  fc.record({ type: fc.constant('bytes' as const), count: fc.integer({ min: 1, max: 500 }) }),
  fc.record({ type: fc.constant('read' as const), count: fc.integer({ min: 1, max: 700 }) }),
  fc.record({ type: fc.constant('look' as const), hasRoom: fc.boolean() }),
  fc.record({
    type: fc.constant('pong' as const),
    pick: fc.nat(),
    flip: fc.option(fc.record({ byte: fc.nat(15), bit: fc.nat(7) }), { nil: undefined }),
    length: fc.integer({ min: 0, max: 20 }),
  }),
);
const schedule = fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), event), { maxLength: 120 });

/** A stream as a reader on the other side sees it, and how long its oldest unread byte has truly waited. */
class Stream {
  nowMs = 1000;
  readonly probes = new Probes();
  readonly payloads: Uint8Array[] = [];
  #written = 0;
  #read = 0;
  /** Chunks not read to their end. */
  #waiting: { readonly end: number; readonly atMs: number; readonly payload: Uint8Array | null }[] = [];

  constructor() {
    this.probes.clear(this.nowMs);
  }

  /** Bytes written in all. */
  get total(): number {
    return this.#written;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  get trueOldestMs(): number {
    return this.nowMs - (this.#waiting[0]?.atMs ?? this.nowMs);
  }

  write(count: number, payload: Uint8Array | null = null): void {
    this.#written += count;
    this.#waiting.push({ end: this.#written, atMs: this.nowMs, payload });
  }

  /** Reads bytes; returns the payloads of pings read to their last byte. */
  read(count: number): Uint8Array[] {
    this.#read = Math.min(this.#written, this.#read + count);
    const done = this.#waiting.filter(({ end }) => end <= this.#read);
    this.#waiting = this.#waiting.filter(({ end }) => end > this.#read);
    const payloads = done.flatMap(({ payload }) => payload ?? []);
    this.payloads.push(...payloads);
    return payloads;
  }

  /** What the relay does when it looks. */
  look(hasRoom: boolean): void {
    if (this.isEmpty) this.probes.clear(this.nowMs);
    else
      this.probes.ping(this.nowMs, SPACING_MS, (payload) => {
        if (hasRoom) this.write(2 + payload.length, Uint8Array.from(payload));
        return hasRoom;
      });
  }
}

describe('probes', () => {
  it('never take a backlog for younger than it is, whatever a reader sends who knows everything it has read', () => {
    fc.assert(
      fc.property(schedule, (events) => {
        const stream = new Stream();
        for (const [afterMs, what] of events) {
          stream.nowMs += afterMs;
          if (what.type === 'bytes') stream.write(what.count);
          else if (what.type === 'read') stream.read(what.count);
          else if (what.type === 'look') stream.look(what.hasRoom);
          else {
            const known = stream.payloads.at(what.pick % (stream.payloads.length + 1)) ?? new Uint8Array(16);
            const forged = Uint8Array.from(known);
            if (what.flip !== undefined) forged[what.flip.byte] = (forged[what.flip.byte] ?? 0) ^ (1 << what.flip.bit);
            const payload = what.length <= 16 ? forged : new Uint8Array(what.length);
            stream.probes.pong(payload.buffer);
          }
          if (!stream.isEmpty) expect(stream.probes.oldestMs(stream.nowMs)).toBeGreaterThanOrEqual(stream.trueOldestMs);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('never take an honest reader for older than its bytes, the time between looks and its way there and back', () => {
    const honest = fc.record({
      lookMs: fc.integer({ min: 1, max: 100 }),
      lagMs: fc.integer({ min: 0, max: 400 }),
      answers: fc.constantFrom('each', 'newest'),
      writes: fc.array(fc.nat(300), { minLength: 200, maxLength: 200 }),
    });
    fc.assert(
      fc.property(honest, ({ lookMs, lagMs, answers, writes }) => {
        const stream = new Stream();
        const written: { readonly atMs: number; readonly bytes: number }[] = [];
        const before = (): number => written.reduce((sum, { bytes }) => sum + bytes, 0);
        let read = 0;
        for (const count of writes) {
          stream.nowMs += lookMs;
          // It reads, at each moment, all that was written `lagMs` ago, and answers every ping or the newest of those.
          const due = written
            .filter(({ atMs }) => atMs <= stream.nowMs - lagMs)
            .reduce((sum, { bytes }) => sum + bytes, 0);
          const payloads = stream.read(due - read);
          read = due;
          for (const payload of answers === 'each' ? payloads : payloads.slice(-1))
            stream.probes.pong(payload.buffer as ArrayBuffer);
          if (count > 0) stream.write(count);
          stream.look(true);
          written.push({ atMs: stream.nowMs, bytes: stream.total - before() });
          if (!stream.isEmpty)
            expect(stream.probes.oldestMs(stream.nowMs)).toBeLessThanOrEqual(lagMs + 2 * lookMs + 2 * SPACING_MS);
        }
      }),
    );
  });
});

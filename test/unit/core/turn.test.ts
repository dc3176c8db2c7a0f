import { beforeEach, describe, expect, it } from 'vitest';
import { Batch } from '../../../src/core/batch.ts';
import { Turn } from '../../../src/core/turn.ts';
import { FakeFanout } from './fake-fanout.ts';

const CORK_BYTES = 16 * 1024;
const WEB_SOCKET_HEADER_BYTES = 4;

let fanout: FakeFanout;
let turn: Turn;
let ends: (() => void)[];
let reads: number;
beforeEach(() => {
  fanout = new FakeFanout();
  ends = [];
  reads = 0;
  turn = new Turn(fanout, { nowMs: () => ++reads, monotonicMs: () => -reads }, (end) => ends.push(end));
});

/** Runs one turn: `act`, then everything that waits for its end. Returns what was published before and after that. */
function inTurn(act: (publish: (batch: Batch, value: Uint8Array, except?: object | null) => void) => void) {
  const start = fanout.published.length;
  turn.open();
  act((batch, value, except = null) => turn.publish(batch, value, 0, value.length, except));
  const middle = fanout.published.length;
  for (const end of ends.splice(0)) end();
  return { atOnce: fanout.published.slice(start, middle), atTheEnd: fanout.published.slice(middle) };
}

/** Frames made of msgpack integers, so that the fake can read them: `size` bytes that all hold `value`. */
const frame = (value: number, size = 3): Uint8Array => new Uint8Array(size).fill(value);
const hex = (...frames: Uint8Array[]): string => Buffer.concat(frames).toString('hex');

/** One turn in which these frames of a channel come. */
const burst = (batch: Batch, ...frames: Uint8Array[]) =>
  inTurn((publish) => {
    for (const each of frames) publish(batch, each);
  });

/** A batch that the turn before taught to wait: it had two frames. */
function busyBatch(topic: string): Batch {
  const batch = new Batch(topic);
  burst(batch, frame(1), frame(2));
  return batch;
}

describe('a turn', () => {
  it('lets a lone frame out at once, without a copy, and only its bytes', () => {
    const message = Uint8Array.from([9, 9, 1, 2, 3, 9]);
    turn.open();
    turn.publish(new Batch('a'), message, 2, 5, null);
    expect(fanout.published.map(({ bytes }) => hex(bytes))).toEqual(['010203']);
    expect(fanout.published[0]?.source.buffer).toBe(message.buffer);
  });

  it('lets several frames of a channel out as one publish, once a turn before had several', () => {
    const batch = new Batch('a');
    const first = burst(batch, frame(1), frame(2), frame(3));
    expect([first.atOnce, first.atTheEnd].map((list) => list.map(({ bytes }) => hex(bytes)))).toEqual([
      [hex(frame(1))],
      [hex(frame(2), frame(3))],
    ]);
    const second = burst(batch, frame(4), frame(5), frame(6));
    expect(second.atOnce).toEqual([]);
    expect(second.atTheEnd.map(({ bytes }) => hex(bytes))).toEqual([hex(frame(4), frame(5), frame(6))]);
  });

  it('lets a lone frame out at once again after a turn with one', () => {
    const batch = busyBatch('a');
    expect(inTurn((publish) => publish(batch, frame(3)))).toMatchObject({ atOnce: [], atTheEnd: [{ topic: 'a' }] });
    expect(inTurn((publish) => publish(batch, frame(4)))).toMatchObject({ atOnce: [{ topic: 'a' }], atTheEnd: [] });
  });

  it('never makes a batch that does not fit the cork buffer of 16 KiB', () => {
    const batch = busyBatch('a');
    const frames = Array.from({ length: 100 }, (_, i) => frame(i, 1000));
    const { atOnce, atTheEnd } = burst(batch, ...frames);
    const published = [...atOnce, ...atTheEnd];
    expect(Math.max(...published.map(({ bytes }) => bytes.length))).toBeLessThanOrEqual(
      CORK_BYTES - WEB_SOCKET_HEADER_BYTES,
    );
    expect(published.length).toBe(Math.ceil(100 / 16));
    expect(hex(...published.map(({ bytes }) => bytes))).toBe(hex(...frames));
  });

  it('keeps large frames in their place among small ones', () => {
    const frames = [frame(1), frame(2), frame(3, 40_000), frame(4), frame(5, 16_384), frame(6, 16_000), frame(7, 1000)];
    for (const batch of [new Batch('a'), busyBatch('b')]) {
      const { atOnce, atTheEnd } = burst(batch, ...frames);
      expect(hex(...[...atOnce, ...atTheEnd].map(({ bytes }) => bytes))).toBe(hex(...frames));
    }
  });

  it('keeps no byte of a frame in its buffers', () => {
    const batch = busyBatch('a');
    const { atTheEnd } = burst(batch, frame(7, 500), frame(8, 500));
    expect(atTheEnd).toHaveLength(1);
    const memory = new Uint8Array(atTheEnd[0]?.source.buffer as ArrayBuffer);
    expect(memory.every((byte) => byte === 0)).toBe(true);
    expect(batch.buffer).toBeNull();
  });

  it('leaves the sender of every frame of a batch out, and nobody when senders mix', () => {
    const [ann, bob] = [{}, {}];
    for (const [senders, except] of [
      [[ann, ann], ann],
      [[ann, bob], null],
      [[ann, null], null],
      [[null, ann], null],
      [[ann, bob, ann], null],
    ] as const) {
      const batch = busyBatch('a');
      fanout.subscribe(ann, 'a');
      const { atTheEnd } = inTurn((publish) => {
        for (const sender of senders) publish(batch, frame(1), sender);
      });
      expect(atTheEnd.map((publication) => publication.except)).toEqual([except]);
    }
  });

  it('lets notices out after all frames', () => {
    const [frames, notices, other] = [busyBatch('a'), new Batch('a!'), busyBatch('b')];
    const { atOnce, atTheEnd } = inTurn((publish) => {
      turn.notify(notices, frame(9), frames);
      publish(other, frame(1));
      publish(frames, frame(2));
    });
    expect(atOnce).toEqual([]);
    expect(atTheEnd.map(({ topic }) => topic)).toEqual(['b', 'a', 'a!']);
  });

  it('lets no notice overtake the frames before it, even when there are too many notices for a buffer', () => {
    const [frames, notices] = [busyBatch('a'), new Batch('a!')];
    const { atOnce, atTheEnd } = inTurn((publish) => {
      publish(frames, frame(1));
      for (let i = 0; i < 40; i++) turn.notify(notices, frame(9, 1000), frames);
    });
    const published = [...atOnce, ...atTheEnd];
    expect(published[0]?.topic).toBe('a');
    expect(published.filter(({ topic }) => topic === 'a!').reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(
      40_000,
    );
    for (const { bytes } of published) expect(bytes.length).toBeLessThanOrEqual(CORK_BYTES - WEB_SOCKET_HEADER_BYTES);
  });

  it('lets at most 24 frames out at once, and the others when it ends', () => {
    const batches = Array.from({ length: 60 }, (_, i) => new Batch(`t${i}`));
    for (let round = 0; round < 2; round++) {
      const { atOnce, atTheEnd } = inTurn((publish) => {
        for (const batch of batches) publish(batch, frame(1));
      });
      expect([atOnce.length, atTheEnd.length]).toEqual([24, 36]);
      expect(new Set([...atOnce, ...atTheEnd].map(({ topic }) => topic)).size).toBe(60);
    }
  });

  it('hands a batch over when asked, and nothing twice', () => {
    const batch = busyBatch('a');
    const { atOnce, atTheEnd } = inTurn((publish) => {
      publish(batch, frame(1));
      turn.flush(batch);
      turn.flush(batch);
      publish(batch, frame(2));
      turn.flushAll();
    });
    expect(atOnce.map(({ bytes }) => hex(bytes))).toEqual([hex(frame(1)), hex(frame(2))]);
    expect(atTheEnd).toEqual([]);
  });

  it('reads the clocks once, however often it is opened', () => {
    inTurn(() => turn.open());
    expect([reads, turn.nowMs, turn.monotonicMs]).toEqual([1, 1, -1]);
    inTurn(() => {});
    expect([reads, turn.nowMs, turn.monotonicMs]).toEqual([2, 2, -2]);
  });
});

import type { Batch } from './batch.ts';
import type { Clock, Connection, EndOfTurn, Fanout } from './ports.ts';

/** One WebSocket message with its header fits uWebSockets.js's cork buffer of 16 KiB, so a subscriber costs one system call. */
const BATCH_BYTES = 16 * 1024 - 16;
/** uWebSockets.js drains a subscriber inside the handler at its 32nd message of a turn, a system call a frame; stay clear of that. */
const DIRECT_PUBLISHES = 24;
const POOLED_BUFFERS = 256;

/**
 * One turn of the event loop. A frame that is alone in its channel goes out as it stands; several frames of a channel leave as one
 * message when the turn ends. The clocks are read once a turn.
 */
export class Turn {
  /** Milliseconds since 1970, for tokens and revocations. */
  nowMs = 0;
  /** Milliseconds on a clock that nobody sets, for durations and rates. */
  monotonicMs = 0;
  /** Counts turns. */
  id = 1;
  #isOpen = false;
  #direct = 0;
  readonly #frames: Batch[] = [];
  readonly #notices: Batch[] = [];
  readonly #pool: Uint8Array[] = [];
  readonly #fanout: Fanout;
  readonly #clock: Clock;
  readonly #endOfTurn: EndOfTurn;

  constructor(fanout: Fanout, clock: Clock, endOfTurn: EndOfTurn) {
    this.#fanout = fanout;
    this.#clock = clock;
    this.#endOfTurn = endOfTurn;
  }

  /** Must be called before anything else in a turn; later calls cost nothing. */
  open(): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.nowMs = this.#clock.nowMs();
    this.monotonicMs = this.#clock.monotonicMs();
    this.#endOfTurn(this.#end);
  }

  /** Publishes the frame in `bytes[start, end)`, now or at the end of the turn; the bytes are not kept. */
  publish(batch: Batch, bytes: Uint8Array, start: number, end: number, except: Connection | null): void {
    if (batch.turn !== this.id) {
      batch.isBusy = batch.frames > 1;
      batch.turn = this.id;
      batch.frames = 0;
    }
    batch.frames++;
    if (batch.frames === 1 && !batch.isBusy && this.#direct < DIRECT_PUBLISHES && !batch.share.isLate(this.id)) {
      this.#direct++;
      this.#hand(batch, slice(bytes, start, end), except);
    } else if (end - start > BATCH_BYTES) {
      this.flush(batch);
      this.#hand(batch, slice(bytes, start, end), except);
    } else {
      this.#append(this.#frames, batch, bytes, start, end, except);
    }
  }

  /** Publishes a notice after all frames of the turn. `after` is the batch it must not overtake. */
  notify(batch: Batch, notice: Uint8Array, after: Batch): void {
    if (batch.used + notice.length > BATCH_BYTES) this.flush(after);
    this.#append(this.#notices, batch, notice, 0, notice.length, null);
  }

  /** Hands what waits in a batch to the fan-out now. */
  flush(batch: Batch): void {
    const buffer = batch.buffer;
    if (buffer === null) return;
    this.#hand(batch, buffer.subarray(0, batch.used), batch.except);
    buffer.fill(0, 0, batch.used);
    if (this.#pool.length < POOLED_BUFFERS) this.#pool.push(buffer);
    batch.buffer = null;
    batch.used = 0;
  }

  /** Hands everything that waits to the fan-out now. */
  flushAll(): void {
    for (const batch of this.#frames) this.flush(batch);
    for (const batch of this.#notices) this.flush(batch);
    this.#frames.length = 0;
    this.#notices.length = 0;
  }

  readonly #end = (): void => {
    this.flushAll();
    this.#isOpen = false;
    this.#direct = 0;
    this.id++;
  };

  #hand(batch: Batch, bytes: Uint8Array, except: Connection | null): void {
    batch.share.deliver(batch.subscriberCount, this.monotonicMs);
    this.#fanout.publish(batch.topic, bytes, except);
  }

  #append(list: Batch[], batch: Batch, bytes: Uint8Array, start: number, end: number, except: Connection | null): void {
    if (batch.used + end - start > BATCH_BYTES) this.flush(batch);
    let buffer = batch.buffer;
    if (buffer === null) {
      buffer = this.#pool.pop() ?? new Uint8Array(BATCH_BYTES);
      batch.buffer = buffer;
      batch.except = except;
      list.push(batch);
    } else if (batch.except !== except) {
      batch.except = null;
    }
    buffer.set(slice(bytes, start, end), batch.used);
    batch.used += end - start;
  }
}

function slice(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end);
}

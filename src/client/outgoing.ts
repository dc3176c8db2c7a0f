import { concat } from './bytes.ts';
import { MayflyError } from './errors.ts';
import { OPEN, type SocketLike } from './socket.ts';

/** Over this many bytes in the socket's own buffer, senders wait. */
const HIGH_WATER_BYTES = 1024 * 1024;
/** WebSockets do not tell when their buffer has room again. */
const ROOM_CHECK_MS = 5;

type Frame = Uint8Array | Promise<Uint8Array>;

interface Batch {
  readonly frames: Frame[];
  readonly sent: Promise<void>;
}

/**
 * Frames on their way to the socket, in the order they were given, also where some are still being encrypted. What one tick gives leaves
 * together, and so does what gathers while the socket is full, in as few WebSocket messages as `maxBytes` of each permits.
 */
export class Outgoing {
  readonly #socket: SocketLike;
  readonly #maxBytes: number;
  /** Takes what the socket threw: it leads nowhere any more. */
  readonly #onBroken: (error: unknown) => void;
  #batch: Batch | null = null;
  /** Resolves when it is known whether the socket still leads anywhere; null when nobody doubts it. */
  #held: { readonly until: Promise<void>; readonly release: () => void } | null = null;
  #isOver = false;
  #last: Promise<unknown> = Promise.resolve();

  /** `onBroken` is to call `end`. */
  constructor(socket: SocketLike, maxBytes: number, onBroken: (error: unknown) => void) {
    this.#socket = socket;
    this.#maxBytes = maxBytes;
    this.#onBroken = onBroken;
  }

  /**
   * Resolves when the frame was handed to the socket and the socket has room for more. Rejects when the frame does, and then the others
   * still go, or with `not_connected`.
   */
  async send(frame: Frame): Promise<void> {
    this.#batch ??= this.#begin();
    const { frames, sent } = this.#batch;
    frames.push(frame);
    if (frame instanceof Promise) await frame;
    await sent;
  }

  /** Resolves when everything given before has gone, or could not. */
  async drained(): Promise<void> {
    await this.#batch?.sent.catch(() => {});
    await this.#last;
  }

  /** Sends a frame ahead of all that waits. */
  sendFirst(frame: Uint8Array<ArrayBuffer>): void {
    try {
      this.#socket.send(frame);
    } catch (error) {
      this.#onBroken(error);
    }
  }

  /** Keeps back what is given, until `release` or `end`. */
  hold(): void {
    let release = (): void => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held ??= { until, release };
  }

  /** Goes on. */
  release(): void {
    this.#held?.release();
    this.#held = null;
  }

  /** Whatever has not gone by now rejects with `not_connected`. */
  end(): void {
    this.#isOver = true;
    this.release();
  }

  /** Takes frames until its turn to be written comes: at the end of the tick, or later when the batch before still has to go. */
  #begin(): Batch {
    const frames: Frame[] = [];
    const sent = this.#last.then(() => {
      this.#batch = null;
      return this.#write(frames);
    });
    this.#last = sent.catch(() => {});
    return { frames, sent };
  }

  async #write(frames: readonly Frame[]): Promise<void> {
    const ready: Uint8Array[] = [];
    for (const result of await Promise.allSettled(frames)) if (result.status === 'fulfilled') ready.push(result.value);
    for (let start = 0; start < ready.length; ) {
      let end = start;
      let bytes = 0;
      do bytes += ready[end++]?.length ?? 0;
      while (end < ready.length && bytes + (ready[end]?.length ?? 0) <= this.#maxBytes);
      await this.#held?.until;
      if (this.#socket.readyState === OPEN && !this.#isOver) this.sendFirst(concat(...ready.slice(start, end)));
      else this.end();
      if (this.#isOver) throw new MayflyError('not_connected', 'the connection was lost');
      start = end;
    }
    while (this.#socket.readyState === OPEN && this.#socket.bufferedAmount > HIGH_WATER_BYTES) {
      await new Promise((resolve) => setTimeout(resolve, ROOM_CHECK_MS));
    }
  }
}

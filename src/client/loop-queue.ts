import { Fifo } from './fifo.ts';
import { type Loss, Losses, oneLost } from './loss.ts';
import { type Message, memoryOf } from './message.ts';

/** How much may wait for a loop, and whom to tell of what is over it. */
export interface LoopQueueOptions {
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  readonly onLoss: (loss: Loss) => void;
  /** The loop was left. */
  readonly onLeft: () => void;
}

type Result = IteratorResult<Message, undefined>;

const DONE = { value: undefined, done: true } as const;

/**
 * A place in a channel's messages, for one loop at a time: what a loop leaves unread waits for the next, with all that comes in between.
 * Bounded: over that the oldest are dropped, and the loop is told when it reads on, ahead of the message behind them.
 */
export class LoopQueue {
  readonly #waiting = new Fifo<Message>();
  #waitingBytes = 0;
  readonly #readers = new Fifo<(result: Result) => void>();
  readonly #missed: Losses;
  readonly #options: LoopQueueOptions;
  #loop: AsyncIterator<Message> | null = null;
  #isEnded = false;

  constructor(options: LoopQueueOptions) {
    this.#options = options;
    this.#missed = new Losses((loss) => options.onLoss(this.#loop === null ? loss : { ...loss, loop: this.#loop }));
  }

  /** Whether no loop is here at the moment. */
  get isFree(): boolean {
    return this.#loop === null;
  }

  /** A loop that begins here. */
  begin(): AsyncIterableIterator<Message> {
    const loop: AsyncIterableIterator<Message> = {
      next: async () => (this.#loop === loop ? await this.#next() : DONE),
      return: async () => {
        if (this.#loop === loop) this.#leave();
        return DONE;
      },
      [Symbol.asyncIterator]: () => loop,
    };
    this.#loop = loop;
    return loop;
  }

  push(message: Message): void {
    const read = this.#readers.shift();
    if (read !== undefined) {
      read({ value: message, done: false });
      return;
    }
    const { maxWaiting, maxWaitingBytes } = this.#options;
    this.#waiting.push(message);
    this.#waitingBytes += memoryOf(message);
    while (this.#waiting.size > maxWaiting || this.#waitingBytes > maxWaitingBytes) {
      const dropped = this.#shift();
      if (dropped !== undefined) this.#missed.add(oneLost(dropped.channel, dropped.seq));
    }
  }

  /** Tells the loop what it has missed, and ends it once what waits is read. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#loop !== null) this.#missed.tell();
    this.#finish();
  }

  #next(): Promise<Result> | Result {
    this.#missed.tell();
    const value = this.#shift();
    if (value !== undefined) return { value, done: false };
    if (this.#isEnded) return DONE;
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  #leave(): void {
    this.#loop = null;
    this.#finish();
    this.#options.onLeft();
  }

  #shift(): Message | undefined {
    const message = this.#waiting.shift();
    if (message !== undefined) this.#waitingBytes -= memoryOf(message);
    return message;
  }

  #finish(): void {
    for (let read = this.#readers.shift(); read !== undefined; read = this.#readers.shift()) read(DONE);
  }
}

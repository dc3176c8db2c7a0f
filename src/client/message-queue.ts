/** What a queue needs: its bound, and whom to tell of what it drops and of its end. */
export interface QueueOptions<T> {
  readonly limit: number;
  readonly onDrop: (dropped: T) => void;
  readonly onEnd: () => void;
}

/** What waits for a `for await` loop. Bounded: past `limit` the oldest are dropped. */
export class MessageQueue<T> implements AsyncIterator<T> {
  readonly #waiting: T[] = [];
  readonly #readers: ((result: IteratorResult<T>) => void)[] = [];
  readonly #options: QueueOptions<T>;
  #isEnded = false;

  constructor(options: QueueOptions<T>) {
    this.#options = options;
  }

  push(value: T): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader({ value, done: false });
      return;
    }
    this.#waiting.push(value);
    if (this.#waiting.length <= this.#options.limit) return;
    const dropped = this.#waiting.shift();
    if (dropped !== undefined) this.#options.onDrop(dropped);
  }

  /** Ends the loop once what waits is read. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#options.onEnd();
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  return(): Promise<IteratorResult<T>> {
    this.#waiting.length = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }
}

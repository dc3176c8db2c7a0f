/** What waits for a `for await` loop. Bounded: past `limit` the oldest are dropped, and `onDrop` is told. */
export class MessageQueue<T> implements AsyncIterator<T> {
  readonly #waiting: T[] = [];
  readonly #readers: ((result: IteratorResult<T>) => void)[] = [];
  readonly #limit: number;
  readonly #onDrop: () => void;
  readonly #onReturn: (queue: MessageQueue<T>) => void;
  #isEnded = false;

  constructor(limit: number, onDrop: () => void, onReturn: (queue: MessageQueue<T>) => void) {
    this.#limit = limit;
    this.#onDrop = onDrop;
    this.#onReturn = onReturn;
  }

  push(value: T): void {
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader({ value, done: false });
      return;
    }
    this.#waiting.push(value);
    if (this.#waiting.length <= this.#limit) return;
    this.#waiting.shift();
    this.#onDrop();
  }

  /** Ends the loop once what waits is read. */
  end(): void {
    this.#isEnded = true;
    for (const reader of this.#readers.splice(0)) reader({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ value, done: false });
    if (this.#isEnded) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.#readers.push(resolve));
  }

  return(): Promise<IteratorResult<T>> {
    this.#onReturn(this);
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }
}

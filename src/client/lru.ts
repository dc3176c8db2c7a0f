/** A map of bounded size that forgets the entry not used for longest. */
export class Lru<V> {
  readonly #maxCount: number;
  readonly #entries = new Map<string, V>();

  constructor(maxCount: number) {
    this.#maxCount = maxCount;
  }

  /** The value of a key, without counting as a use. */
  peek(key: string): V | undefined {
    return this.#entries.get(key);
  }

  /** Stores a value, or marks it as used when it is there already. */
  set(key: string, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size <= this.#maxCount) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  /** Every value, that used least first. */
  values(): IterableIterator<V> {
    return this.#entries.values();
  }

  clear(): void {
    this.#entries.clear();
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

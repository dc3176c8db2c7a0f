interface Entry {
  settle: (() => void) | null;
  next: Entry | null;
}

/** Lets work run side by side while its results come out in the order it was handed in. */
export class InOrder {
  #first: Entry | null = null;
  #last: Entry | null = null;

  /** Settles as `work` does, once everything handed in before has settled. */
  settle<T>(work: Promise<T>): Promise<T> {
    const entry: Entry = { settle: null, next: null };
    if (this.#last === null) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    return new Promise((resolve, reject) => {
      work.then(
        (value) => this.#done(entry, () => resolve(value)),
        (error: unknown) => this.#done(entry, () => reject(error)),
      );
    });
  }

  #done(entry: Entry, settle: () => void): void {
    entry.settle = settle;
    while (this.#first !== null && this.#first.settle !== null) {
      this.#first.settle();
      this.#first = this.#first.next;
    }
    if (this.#first === null) this.#last = null;
  }
}

/** Lets work run side by side while its results come out in the order it was handed in. */
export class InOrder {
  #last: Promise<void> = Promise.resolve();

  /** Settles as `work` does, once everything handed in before has settled. */
  settle<T>(work: Promise<T>): Promise<T> {
    this.#last = Promise.allSettled([this.#last, work]).then(() => {});
    return this.#last.then(() => work);
  }
}

/** Events of a stream that wait until somebody listens, in their order: to `main`, or to one of the others. Bounded. */
export class Held<Name extends string> {
  readonly #main: Name;
  readonly #limit: number;
  readonly #listening = new Set<Name>();
  #waiting: { readonly name: Name; readonly tell: () => void }[] = [];
  #isReleasing = false;
  #isOpen = false;

  constructor(main: Name, limit: number) {
    this.#main = main;
    this.#limit = limit;
  }

  /** Tells an event, now or later; false when it would have to wait and there is no room. */
  pass(name: Name, tell: () => void): boolean {
    if (this.#isOpen || (this.#listening.has(name) && !this.#isReleasing)) tell();
    else if (this.#waiting.length < this.#limit) this.#waiting.push({ name, tell });
    else return false;
    return true;
  }

  /** Somebody listens. What waited for that is told once this turn is over, and others listen too; `onOpen` is called behind it. */
  listened(name: Name, onOpen: () => void): void {
    if (this.#isOpen) return;
    this.#listening.add(name);
    if (this.#isReleasing) return;
    this.#isReleasing = true;
    queueMicrotask(() => this.#release(onOpen));
  }

  #release(onOpen: () => void): void {
    const waiting = this.#waiting;
    const isOpening = this.#listening.has(this.#main);
    this.#waiting = waiting.filter(({ name }) => !isOpening && !this.#listening.has(name));
    for (const { name, tell } of waiting) if (isOpening || this.#listening.has(name)) tell();
    this.#isReleasing = false;
    this.#isOpen = isOpening;
    if (isOpening) onOpen();
  }
}

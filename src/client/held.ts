/** How much may wait: a number of events, and the bytes they take. */
export interface HeldLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
}

interface Waiting<Name> {
  readonly name: Name;
  readonly bytes: number;
  readonly tell: () => void;
}

/** Events of a stream that wait until somebody listens, in their order: to `main`, or to one of the others. Bounded. */
export class Held<Name extends string> {
  readonly #main: Name;
  readonly #limits: HeldLimits;
  /** Whether somebody listens to an event at the moment. */
  readonly #isHeard: (name: Name) => boolean;
  #waiting: Waiting<Name>[] = [];
  #waitingBytes = 0;
  /** Something was refused: what comes behind it is as well, however small, so that there is one hole, at the end. */
  #isFull = false;
  #isReleasing = false;
  #isOpen = false;

  constructor(main: Name, limits: HeldLimits, isHeard: (name: Name) => boolean) {
    this.#main = main;
    this.#limits = limits;
    this.#isHeard = isHeard;
  }

  /** Whether nothing is held any more. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Tells an event of so many bytes, now or later; false when it would have to wait and there is no room. */
  pass(name: Name, bytes: number, tell: () => void): boolean {
    if (this.#isOpen || (!this.#isReleasing && name !== this.#main && this.#isHeard(name))) {
      tell();
      return true;
    }
    const { maxCount, maxBytes } = this.#limits;
    this.#isFull ||= this.#waiting.length >= maxCount || this.#waitingBytes + bytes > maxBytes;
    if (this.#isFull) return false;
    this.#waiting.push({ name, bytes, tell });
    this.#waitingBytes += bytes;
    return true;
  }

  /** Somebody listens. What waited for that is told once this turn is over, and others listen too; `onOpen` is called behind it. */
  listened(onOpen: () => void): void {
    if (this.#isOpen || this.#isReleasing) return;
    this.#isReleasing = true;
    void Promise.resolve().then(() => this.#release(onOpen));
  }

  #release(onOpen: () => void): void {
    const isOpening = this.#isHeard(this.#main);
    const waiting = this.#waiting;
    this.#waiting = [];
    const still = isOpening ? [] : waiting.filter(({ name }) => !this.#isHeard(name));
    const told = isOpening ? waiting : waiting.filter(({ name }) => this.#isHeard(name));
    for (const { tell } of told) tell();
    this.#waiting = [...still, ...this.#waiting];
    for (const { bytes } of told) this.#waitingBytes -= bytes;
    if (isOpening) this.#open(onOpen);
    this.#isReleasing = false;
    if (isOpening) return;
    if (this.#isHeard(this.#main)) this.listened(onOpen); // a listener began to listen to the rest
  }

  /** Tells what came while the rest was told, and holds nothing any more. */
  #open(onOpen: () => void): void {
    for (let i = 0; i < this.#waiting.length; i++) this.#waiting[i]?.tell();
    this.#waiting = [];
    this.#isOpen = true;
    onOpen();
  }
}

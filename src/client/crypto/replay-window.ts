/** How far below the highest counter seen a late frame may lie. */
export const WINDOW_COUNTERS = 1024;
const WORD_BITS = 32;

/** What the window says of a counter. */
export type Freshness = 'fresh' | 'replayed' | 'too_old';

/**
 * The counters seen under one key: gaps and late frames are fine, a second time is not, and neither is what lies 1024 or more below the
 * highest. After RFC 6479, with a window exact to the counter.
 */
export class ReplayWindow {
  readonly #seen = new Uint32Array(WINDOW_COUNTERS / WORD_BITS);
  /** One above the highest counter seen. */
  #next = 0;
  /** The counter seen first, and how many from there on were. */
  #first = -1;
  #seenCount = 0;

  /** Looks without marking. `ctr` is a whole number below 2^53. */
  check(ctr: number): Freshness {
    if (ctr >= this.#next) return 'fresh';
    if (ctr < this.#next - WINDOW_COUNTERS) return 'too_old';
    return (this.#word(ctr) & bitOf(ctr)) === 0 ? 'fresh' : 'replayed';
  }

  /** Marks a counter, unless `check` refuses it. To be called with authentic frames only. */
  accept(ctr: number): Freshness {
    const freshness = this.check(ctr);
    if (freshness !== 'fresh') return freshness;
    if (ctr - this.#next >= WINDOW_COUNTERS) this.#seen.fill(0);
    else for (let passed = this.#next; passed < ctr; passed++) this.#write(passed, false);
    this.#write(ctr, true);
    if (this.#first < 0) this.#first = ctr;
    if (ctr >= this.#first) this.#seenCount++;
    this.#next = Math.max(this.#next, ctr + 1);
    return freshness;
  }

  /** How many counters from the first seen to `end` were not seen; fewer, where `end` is so low that it cannot be told. */
  missingBelow(end: number): number {
    let seenCount = this.#seenCount;
    for (let ctr = Math.max(end, this.#next - WINDOW_COUNTERS, this.#first); ctr < this.#next; ctr++) {
      if (this.#word(ctr) & bitOf(ctr)) seenCount--;
    }
    return Math.max(0, end - this.#first - seenCount);
  }

  /** One above the highest counter seen. */
  get next(): number {
    return this.#next;
  }

  #word(ctr: number): number {
    return this.#seen[wordOf(ctr)] ?? 0;
  }

  #write(ctr: number, isSeen: boolean): void {
    this.#seen[wordOf(ctr)] = isSeen ? this.#word(ctr) | bitOf(ctr) : this.#word(ctr) & ~bitOf(ctr);
  }
}

function wordOf(ctr: number): number {
  return Math.floor((ctr % WINDOW_COUNTERS) / WORD_BITS);
}

function bitOf(ctr: number): number {
  return 1 << (ctr % WORD_BITS);
}

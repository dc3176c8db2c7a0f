const EXACT_BITS = 7;
const EXACT = 1 << EXACT_BITS;

/** Latencies in µs: exact up to 255, above that in steps of less than 1 %. Recording allocates nothing. */
export class Latencies {
  #count = 0;
  readonly #buckets = new Uint32Array((32 - EXACT_BITS + 1) * EXACT);

  /** Counts one latency, in µs. */
  record(us: number): void {
    const value = us < 0 ? 0 : us | 0;
    const shift = Math.max(0, 32 - Math.clz32(value) - EXACT_BITS - 1);
    const index = shift * EXACT + (value >>> shift);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
    this.#count++;
  }

  /** Forgets everything recorded. */
  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
  }

  /** The latency in µs that `percent` of all stay at or under; 0 when there are none. */
  percentile(percent: number): number {
    let left = Math.ceil((this.#count * percent) / 100);
    for (const [index, count] of this.#buckets.entries()) {
      left -= count;
      if (count > 0 && left <= 0) return valueAt(index);
    }
    return 0;
  }
}

function valueAt(index: number): number {
  const shift = Math.max(0, (index >> EXACT_BITS) - 1);
  return (index - shift * EXACT) * 2 ** shift;
}

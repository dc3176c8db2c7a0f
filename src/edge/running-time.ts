/**
 * Time in which the relay ran, for deadlines. A standstill of the process (stopped, a machine asleep, a long collection of garbage) counts
 * as `maxStepMs`: nobody is late because the relay was not there to listen.
 */
export class RunningTime {
  readonly #monotonicMs: () => number;
  readonly #maxStepMs: number;
  #countedMs = 0;
  #readAtMs: number;

  /** `monotonicMs` is a clock that nobody sets. `advance` is to be called more often than `maxStepMs`. */
  constructor(monotonicMs: () => number, maxStepMs: number) {
    this.#monotonicMs = monotonicMs;
    this.#maxStepMs = maxStepMs;
    this.#readAtMs = monotonicMs();
  }

  /** Milliseconds that ran since the start. */
  nowMs(): number {
    return this.#countedMs + Math.min(this.#monotonicMs() - this.#readAtMs, this.#maxStepMs);
  }

  /** Counts what ran since the last call, and returns it. */
  advance(): number {
    const beforeMs = this.#countedMs;
    this.#countedMs = this.nowMs();
    this.#readAtMs = this.#monotonicMs();
    return this.#countedMs - beforeMs;
  }
}

import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 20;
const WINDOW_MS = 60_000;

/**
 * Event loop delay over the last one to two minutes. Two histograms start a minute apart, each for two minutes, and the older one is read:
 * reading changes nothing, so that any number of readers see the same, and a stall stays in sight for a minute at least.
 */
export class LoopDelay {
  #older = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #newer = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;

  constructor() {
    this.#older.enable();
    this.#newer.enable();
    this.#timer = setInterval(() => this.#turn(), WINDOW_MS).unref();
  }

  /** A percentile in seconds; 100 is the maximum. */
  seconds(percentile: number): number {
    const interval = this.#older.percentile(percentile) / 1e9; // of a timer set to the resolution
    return Math.max(0, interval - RESOLUTION_MS / 1000);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#older.disable();
    this.#newer.disable();
  }

  #turn(): void {
    [this.#older, this.#newer] = [this.#newer, this.#older];
    this.#newer.reset();
  }
}

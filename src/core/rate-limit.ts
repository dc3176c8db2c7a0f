/** What a bucket says of a request: go on, refuse it, or end a sender that will not slow down. */
export const Verdict = { OK: 0, REFUSE: 1, FLOOD: 2 } as const;
export type Verdict = (typeof Verdict)[keyof typeof Verdict];

/** A token bucket. `rate` in units per second; the burst is two seconds' worth. */
export class TokenBucket {
  #rate: number;
  #tokens: number;
  #filledAtMs = 0;

  constructor(rate: number) {
    this.#rate = rate;
    this.#tokens = rate * 2;
  }

  /** Takes `cost` units at `nowMs`, refused or not, so that a flood runs into debt; a debt of more than another burst is a FLOOD. */
  take(cost: number, nowMs: number): Verdict {
    if (nowMs !== this.#filledAtMs) this.#refill(nowMs);
    this.#tokens -= cost;
    if (this.#tokens >= 0) return Verdict.OK;
    return this.#tokens < -this.#rate * 2 ? Verdict.FLOOD : Verdict.REFUSE;
  }

  /** Takes `cost` units if they are there, and nothing otherwise: a flood of one sender leaves no debt to the others. */
  tryTake(cost: number, nowMs: number): boolean {
    if (nowMs !== this.#filledAtMs) this.#refill(nowMs);
    if (this.#tokens < cost) return false;
    this.#tokens -= cost;
    return true;
  }

  /** Whether there is no debt. Time only pays back, so where there was none before the clock need not be looked at. */
  isSolvent(nowMs: number): boolean {
    if (this.#tokens < 0 && nowMs !== this.#filledAtMs) this.#refill(nowMs);
    return this.#tokens >= 0;
  }

  /** Changes the rate from now on. */
  setRate(rate: number): void {
    this.#rate = rate;
    this.#tokens = Math.min(this.#tokens, rate * 2);
  }

  #refill(nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledAtMs);
    this.#tokens = Math.min(this.#rate * 2, this.#tokens + (elapsedMs * this.#rate) / 1000);
    this.#filledAtMs = nowMs;
  }
}

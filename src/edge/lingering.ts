import type { Prefix } from './address-prefix.ts';

/**
 * After a WebSocket close frame uWebSockets.js keeps the socket until the client closes it too, 16 seconds at most and a few for the
 * coarseness of its timers, and tells nobody when that is.
 */
const LINGER_MS = 25_000;

/** Sockets that said goodbye, and whose descriptors may be taken still: what is known of them is when they will be gone at the latest. */
export class Lingering {
  #leaving: { readonly prefix: Prefix; readonly goneAtMs: number }[] = [];
  #first = 0;
  readonly #byPrefix = new Map<Prefix, number>();

  add(prefix: Prefix, nowMs: number): void {
    this.#leaving.push({ prefix, goneAtMs: nowMs + LINGER_MS });
    this.#byPrefix.set(prefix, (this.#byPrefix.get(prefix) ?? 0) + 1);
  }

  /** How many there may be. */
  count(nowMs: number): number {
    for (let first = this.#leaving[this.#first]; first !== undefined; first = this.#leaving[this.#first]) {
      if (first.goneAtMs > nowMs) break;
      const left = (this.#byPrefix.get(first.prefix) ?? 0) - 1;
      if (left > 0) this.#byPrefix.set(first.prefix, left);
      else this.#byPrefix.delete(first.prefix);
      this.#first++;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#leaving.length) {
      this.#leaving = this.#leaving.slice(this.#first);
      this.#first = 0;
    }
    return this.#leaving.length - this.#first;
  }

  /** Whether an address may have one. */
  has(prefix: Prefix): boolean {
    return this.#byPrefix.has(prefix);
  }
}

import { type Prefix, UNKNOWN } from './address-prefix.ts';
import type { HttpResponse } from './uws.ts';

/** What callers need to be judged. */
export interface CallerPorts {
  /** How many there may be at this moment. */
  readonly capacity: () => number;
  readonly prefixOf: (response: HttpResponse) => Prefix;
  /** Running time: never goes back. */
  readonly nowMs: () => number;
  /** One was refused, or had to go. */
  readonly dropped: (reason: 'crowded' | 'gave_way') => void;
}

/** When it is crowded, an address gets this part of what is left, in this time. */
const PARTS = 8;
const WINDOW_MS = 1000;

/**
 * Sockets that speak HTTP, or nothing yet: so many at most. Once half of the places are taken, an address may come only for an eighth of those
 * that are left, each second: so a few addresses cannot take the last ones, and who comes from elsewhere gets in.
 */
export class Callers {
  readonly #ports: CallerPorts;
  #count = 0;
  #windowAtMs = 0;
  readonly #came = new Map<Prefix, number>();

  constructor(ports: CallerPorts) {
    this.#ports = ports;
  }

  get count(): number {
    return this.#count;
  }

  isCrowded(): boolean {
    return this.#count >= this.#ports.capacity() / 2;
  }

  enter(response: HttpResponse): boolean {
    const left = this.#ports.capacity() - this.#count;
    if (left >= 1 && (!this.isCrowded() || this.#isFair(response, left))) {
      this.#count++;
      return true;
    }
    this.#ports.dropped('crowded');
    return false;
  }

  leave(): void {
    this.#count--;
  }

  sendAway(): void {
    this.#count--;
    this.#ports.dropped('gave_way');
  }

  #isFair(response: HttpResponse, left: number): boolean {
    const nowMs = this.#ports.nowMs();
    if (nowMs - this.#windowAtMs >= WINDOW_MS) {
      this.#windowAtMs = nowMs;
      this.#came.clear();
    }
    const prefix = this.#ports.prefixOf(response);
    const before = this.#came.get(prefix) ?? 0;
    if (prefix !== UNKNOWN && before >= Math.ceil(left / PARTS)) return false;
    this.#came.set(prefix, before + 1);
    return true;
  }
}

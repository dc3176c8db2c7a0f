import { randomFillSync, timingSafeEqual } from 'node:crypto';

/** A number to find the ping by, and a secret. */
const PAYLOAD_BYTES = 16;

/** A ping that is not answered. Every byte ahead of it, and behind the ping before it, came at `sinceMs` or later. */
interface Ping {
  readonly payload: Uint8Array;
  readonly sinceMs: number;
}

/**
 * Knows how long the oldest byte has waited for one connection at most, though uWebSockets.js only tells how many bytes wait. While any wait,
 * a WebSocket ping is sent into the stream now and then; its pong shows that everything ahead of it was read. Its payload is random: only
 * who has read it can answer it, so that nobody can make its backlog look younger than it is.
 */
export class Probes {
  /** Oldest first. */
  readonly #pings: Ping[] = [];
  #firstId = 0;
  /** Pings that were not answered when nothing waited any more: their pongs come late, and are nobody's fault. */
  #lateCount = 0;
  /** When the latest ping was sent, or nothing waited: what waits behind the pings came later. */
  #sinceMs = 0;

  /** Nothing waits at this moment. */
  clear(nowMs: number): void {
    this.#lateCount += this.#pings.length;
    this.#firstId += this.#pings.length;
    this.#pings.length = 0;
    this.#sinceMs = nowMs;
  }

  /** Sends a ping behind what waits now, unless the latest is younger than `spacingMs`; `send` returns false when there was no room for it. */
  ping(nowMs: number, spacingMs: number, send: (payload: Uint8Array) => boolean): void {
    if (nowMs - this.#sinceMs < spacingMs) return;
    const payload = randomFillSync(new Uint8Array(PAYLOAD_BYTES));
    new DataView(payload.buffer).setUint32(0, this.#firstId + this.#pings.length);
    if (!send(payload)) return;
    this.#pings.push({ payload, sinceMs: this.#sinceMs });
    this.#sinceMs = nowMs;
  }

  /** Takes a pong: its ping and all before it are answered. One that no open ping has means nothing; false where none was owed either. */
  pong(payload: ArrayBuffer): boolean {
    if (this.#answers(payload)) return true;
    if (this.#lateCount === 0) return false;
    this.#lateCount--;
    return true;
  }

  #answers(payload: ArrayBuffer): boolean {
    if (payload.byteLength !== PAYLOAD_BYTES) return false;
    const index = new DataView(payload).getUint32(0) - this.#firstId;
    const ping = this.#pings[index];
    if (ping === undefined || !timingSafeEqual(ping.payload, new Uint8Array(payload))) return false;
    this.#pings.splice(0, index + 1);
    this.#firstId += index + 1;
    return true;
  }

  /** How long the oldest byte can have waited, in milliseconds; only while any waits. */
  oldestMs(nowMs: number): number {
    return nowMs - (this.#pings[0]?.sinceMs ?? this.#sinceMs);
  }
}

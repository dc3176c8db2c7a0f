/**
 * Knows how long the oldest byte has waited for one connection, though uWebSockets.js only tells how many bytes wait. While any wait, a
 * WebSocket ping is sent into the stream now and then; its pong shows that everything ahead of it has left.
 */
export class Probes {
  /** When each unanswered ping was due, oldest first, milliseconds since 1970. */
  readonly #dueAtMs: number[] = [];
  #firstId = 0;
  /** When a ping was due that found no room. */
  #unsentSinceMs: number | null = null;

  /** Nothing waits any more. */
  clear(): void {
    this.#firstId += this.#dueAtMs.length;
    this.#dueAtMs.length = 0;
    this.#unsentSinceMs = null;
  }

  /** Sends a ping behind what waits now; `send` returns false when there was no room for it. */
  ping(nowMs: number, send: (payload: Uint8Array) => boolean): void {
    const id = this.#firstId + this.#dueAtMs.length;
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, id);
    if (send(payload)) {
      this.#dueAtMs.push(this.#unsentSinceMs ?? nowMs);
      this.#unsentSinceMs = null;
    } else {
      this.#unsentSinceMs ??= nowMs;
    }
  }

  /** Takes a pong: its ping and all before it are answered. False for one that nobody asked for, which means nothing. */
  pong(payload: ArrayBuffer): boolean {
    if (payload.byteLength !== 4) return false;
    const answered = new DataView(payload).getUint32(0) - this.#firstId + 1;
    if (answered < 1 || answered > this.#dueAtMs.length) return false;
    this.#dueAtMs.splice(0, answered);
    this.#firstId += answered;
    return true;
  }

  /** How long the oldest byte may have waited, in milliseconds. */
  oldestMs(nowMs: number): number {
    const since = this.#dueAtMs[0] ?? this.#unsentSinceMs;
    return since === null ? 0 : nowMs - since;
  }
}

/** How long to wait before connecting again, in milliseconds. */
export interface BackoffOptions {
  /** Ceiling of the first wait; default 500. */
  readonly firstMs?: number;
  /** Ceiling of every wait; default 30,000. */
  readonly maxMs?: number;
}

/** A random wait below a ceiling that doubles with each attempt ("full jitter"), so that clients do not come back together. */
export function backoffMs(
  attempt: number,
  { firstMs = 500, maxMs = 30_000 }: BackoffOptions = {},
  random = Math.random,
): number {
  return random() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
}

/** Whether a client may come back after a close code: all but 4500 to 4999. Source: docs/PROTOCOL.md, section 13. */
export function mayReconnect(closeCode: number): boolean {
  return closeCode < 4500 || closeCode > 4999;
}

const TOKEN_EXPIRED = 4001;
const TOKEN_REVOKED = 4002;

/** Whether coming back needs another token than the one in use. */
export function needsFreshToken(closeCode: number): boolean {
  return closeCode === TOKEN_EXPIRED || closeCode === TOKEN_REVOKED;
}

/** Calls back when a browser says that the network is there again; the returned function stops that. Elsewhere it never does. */
export function onOnline(callback: () => void): () => void {
  const host = globalThis as Partial<EventTarget>;
  host.addEventListener?.('online', callback);
  return () => host.removeEventListener?.('online', callback);
}

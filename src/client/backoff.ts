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
export function mayReconnect(code: number): boolean {
  return code < 4500 || code > 4999;
}

const TOKEN_EXPIRED = 4001;
const TOKEN_REVOKED = 4002;

/** Whether coming back needs another token than the one in use. */
export function needsFreshToken(code: number): boolean {
  return code === TOKEN_EXPIRED || code === TOKEN_REVOKED;
}

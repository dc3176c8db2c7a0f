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

/** The wait after a connection that lasted: short, and spread for the sake of the relay. */
export function firstWaitMs({ firstMs = 500 }: BackoffOptions, random = Math.random): number {
  return firstMs * (0.2 + 0.8 * random());
}

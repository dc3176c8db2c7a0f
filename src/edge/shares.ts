/** The limits that shares are made from: settings, and the longest WebSocket message. */
export interface ShareLimits {
  readonly maxConnections: number;
  readonly maxUnauthenticated: number;
  readonly maxMemoryBytes: number;
  readonly maxMessageBytes: number;
}

/** How many sockets of each kind there may be, at most, so that all of them together have descriptors. */
export interface Shares {
  /** WebSockets that are in. */
  readonly connections: number;
  /** Sockets that speak HTTP, or nothing yet; and as many as their headers may be where places of others are free. */
  readonly callers: number;
  readonly mostCallers: number;
  /** WebSockets before HELLO. */
  readonly greeters: number;
  /** WebSockets that were closed in so many words, until their clients close them too. */
  readonly closing: number;
  /** Sockets of the admin listener. */
  readonly admin: number;
  /** Descriptors that would give every setting its due: more than the limit where something had to be cut. */
  readonly wanted: number;
}

const ADMIN = 32;
/** Descriptors for files, and for what the system accepts in one go before it is looked at. */
const MIN_RESERVE = 32;
const MAX_RESERVE = 1024;
/** Of the memory, the headers of requests and the first messages of WebSockets before HELLO may take one part in so many each. */
const MEMORY_PARTS = 8;
/** All headers of a request: `uws-environment`. */
const HEADER_BYTES = 16_384;
/** Where descriptors are short, each kind of socket that is not in gets one part in so many of them. */
const DESCRIPTOR_PARTS = 8;

/** Shares out `limit` descriptors, of which `taken` are not for sockets. Strangers have shares of their own, and so has the admin listener. */
export function shareOut(limits: ShareLimits, limit: number, taken: number): Shares {
  const { maxConnections, maxUnauthenticated, maxMemoryBytes, maxMessageBytes } = limits;
  const affordable = Math.max(1, Math.floor(maxMemoryBytes / MEMORY_PARTS / maxMessageBytes));
  const greeters = Math.min(maxUnauthenticated, affordable);
  const reserve = Math.min(MAX_RESERVE, Math.max(MIN_RESERVE, Math.floor(limit / 16)));
  const fixed = taken + reserve + ADMIN;
  const wanted = fixed + maxConnections + 2 * maxUnauthenticated + greeters;
  const free = Math.max(DESCRIPTOR_PARTS, limit - fixed);
  const part = Math.floor(free / DESCRIPTOR_PARTS);
  const strangers = wanted <= limit ? maxUnauthenticated : Math.min(maxUnauthenticated, part);
  const shares = { callers: strangers, greeters: Math.min(greeters, strangers), closing: strangers };
  const mostCallers = Math.max(strangers, Math.floor(maxMemoryBytes / MEMORY_PARTS / HEADER_BYTES));
  const connections = Math.min(maxConnections, free - shares.callers - shares.greeters - shares.closing);
  return { ...shares, mostCallers, connections, admin: ADMIN, wanted };
}

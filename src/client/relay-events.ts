import type { MayflyError } from './errors.ts';

/**
 * How a connection is: `connected`; `checking`, while there are signs that it may lead nowhere any more; without a connection `connecting`,
 * or `waiting` for the next attempt; `closed` for good.
 */
export type ConnectionState = 'connecting' | 'connected' | 'checking' | 'waiting' | 'closed';

/** What a relay tells the app of its connection. */
export interface RelayEvents {
  /** The connection is in another state now. */
  state: ConnectionState;
  /** The connection broke; the next attempt comes after `inMs`. `code` is the close code, 1006 where there was none. */
  reconnecting: { readonly inMs: number; readonly code: number };
  /** Connected again, and every channel attached or told why not. */
  reconnected: { readonly isSameRelay: boolean };
  /** A fresh token is in force until `expiry`, seconds since 1970. */
  renewed: { readonly expiry: number };
  /** The relay is about to stop; the connection moves to another by itself, at about that time. */
  draining: { readonly reconnectInMs: number };
  /** Something failed that the SDK goes on from, such as a renewal or an attempt to come back. */
  error: MayflyError;
  /** It is over: by `close()` (no error), or because coming back is no use. */
  closed: { readonly error: MayflyError | undefined };
}

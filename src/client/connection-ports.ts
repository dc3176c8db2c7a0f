import type { RelayFrame } from '../protocol/frames.ts';
import type { BackoffOptions } from './backoff.ts';
import type { Events } from './events.ts';
import type { Link } from './link.ts';
import type { RelayEvents } from './relay-events.ts';
import type { SocketFactory } from './socket.ts';
import type { TokenSource } from './tokens.ts';

/** How to reach a relay, and how patiently. */
export interface ConnectionOptions {
  readonly url: string;
  readonly token: TokenSource;
  readonly socket: SocketFactory;
  readonly backoff: BackoffOptions;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
}

/** What the owner of a connection does. */
export interface ConnectionOwner {
  readonly events: Events<RelayEvents>;
  /** Takes a frame that is not about the connection. */
  frame(frame: RelayFrame, link: Link): void;
  /** Takes note that the link is gone. */
  lost(): void;
  /** Attaches everything again, as far as the relay permits. Never rejects. */
  returned(link: Link): Promise<void>;
  /** A fresh token is in force on the link. */
  renewed(link: Link): void;
  /** Takes note that there will be no other link. */
  ended(): void;
}

import { CONTROLS_PER_SECOND } from '../core/costs.ts';
import type { VerifiedToken } from '../core/grants.ts';
import type { Close } from '../core/outcome.ts';
import { TokenBucket } from '../core/rate-limit.ts';
import type { Session } from '../core/session.ts';
import type { Prefix } from './address-prefix.ts';
import type { Place } from './crowd.ts';
import type { Inbox } from './inbox.ts';
import { Probes } from './probes.ts';
import type { TemplatedApp, WebSocket } from './uws.ts';

/** What hangs on the native socket. uWebSockets.js copies plain members only, so the peer is one. */
export interface UserData {
  readonly peer: Peer;
}

/** A message, or the rest of one, that waits to be served; in memory of our own. */
export interface Waiting {
  readonly bytes: Uint8Array;
  readonly isBinary: boolean;
  /** When it came, in running time. */
  readonly sinceMs: number;
  /** The offset of the first frame that was not served yet. */
  start: number;
}

/** One WebSocket connection at the edge; what core calls a Connection. */
export class Peer {
  readonly app: TemplatedApp;
  readonly probes = new Probes();
  /** Pays for WebSocket pings, and pongs that nobody asked for. */
  readonly controls = new TokenBucket(CONTROLS_PER_SECOND);
  /** What it sent and nobody has looked at yet: filled and emptied by the Inbox alone. */
  readonly waiting: Waiting[] = [];
  waitingBytes = 0;
  inbox: Inbox | null = null;
  /** When HELLO is overdue, in running time. */
  readonly helloDeadlineMs: number;
  /** When it is cut if it has not read what waits for it, in running time; set with `closing`. */
  closeDeadlineMs = Number.POSITIVE_INFINITY;
  /** The token of the upgrade request, for the session to be opened with. */
  bearer: VerifiedToken | null;
  /** Undefined before open and after close: the native object must not be touched then. */
  socket: WebSocket<UserData> | undefined;
  session: Session | null = null;
  isGreeting = false;
  /** When the next ping is due, in running time; 0 before it was settled. */
  nextPingMs = 0;
  /** Set once it is to be closed, which happens when it has read what waits for it: it is not listened to any more. */
  closing: Close | null = null;

  /** Where its socket comes from. */
  readonly prefix: Prefix;
  /** Its place among those who have not said HELLO; null for those who are in, or had a token at the upgrade. */
  place: Place | null = null;
  /** Whether it is counted among those that are in. */
  isIn = false;
  /** Whether it was ended without a close frame, and so is gone at once. */
  isCut = false;

  constructor(app: TemplatedApp, helloDeadlineMs: number, bearer: VerifiedToken | null, prefix: Prefix) {
    this.prefix = prefix;
    this.app = app;
    this.helloDeadlineMs = helloDeadlineMs;
    this.bearer = bearer;
  }
}

/** The peer of a native socket. uWebSockets.js puts user data on the socket itself; `getUserData` returns the same, at the price of a native call. */
export function peerOf(socket: WebSocket<UserData>): Peer {
  return (socket as unknown as UserData).peer; // as above
}

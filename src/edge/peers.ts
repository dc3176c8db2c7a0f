import { checkExpiry } from '../core/deadlines.ts';
import { type Close, closeFor, closeWith, NOTHING, type Outcome } from '../core/outcome.ts';
import type { Session } from '../core/session.ts';
import type { Sessions } from '../core/sessions.ts';
import type { Counters } from '../telemetry/counters.ts';
import { Backlogs } from './backlogs.ts';
import type { Budget } from './budget.ts';
import type { UwsFanout } from './fanout.ts';
import { pack } from './pack.ts';
import { Peer, type UserData } from './peer.ts';
import { DROPPED, type WebSocket } from './uws.ts';

/** Limits of a connection's life, in milliseconds and bytes. */
export interface PeerLimits {
  readonly maxBufferedBytes: number;
  readonly slowConsumerTimeoutMs: number;
  readonly pingIntervalMs: number;
}

/** What it needs of the relay. `runningMs` is the time for deadlines, in milliseconds. */
export interface PeersPorts {
  readonly sessions: Sessions;
  readonly counters: Counters;
  readonly budget: Budget;
  readonly fanout: UwsFanout;
  readonly limits: PeerLimits;
  readonly runningMs: () => number;
}

/** The moment of a look, in running time; when the next one is at the latest; and the moment since 1970, for tokens. In milliseconds. */
export interface Look {
  readonly nowMs: number;
  readonly nextMs: number;
  readonly wallMs: number;
}

/** A connection that is to be closed has this long to read what waits for it. */
const MAX_CLOSE_MS = 2000;
/** Pings into a backlog are this part of slowConsumerTimeoutMs apart: so many can be unanswered. */
const PINGS_PER_TIMEOUT = 40;

/** What a connection that was cut sees: nothing was said. */
const CUT: Close = { code: 1006, reason: '' };

/** Every open connection, and what the edge does to one: send, close, cut, look after its deadlines. */
export class Peers {
  readonly backlogs = new Backlogs();
  readonly #all: Peer[] = [];
  readonly #slots = new Map<Peer, number>();
  readonly #sessions: Sessions;
  readonly #counters: Counters;
  readonly #budget: Budget;
  readonly #fanout: UwsFanout;
  readonly #limits: PeerLimits;
  readonly #runningMs: () => number;
  readonly #closeMs: number;
  /** Connections that are to be closed and still have something to read. */
  #closingCount = 0;

  constructor({ sessions, counters, budget, fanout, limits, runningMs }: PeersPorts) {
    this.#sessions = sessions;
    this.#counters = counters;
    this.#budget = budget;
    this.#fanout = fanout;
    this.#limits = limits;
    this.#runningMs = runningMs;
    this.#closeMs = Math.min(MAX_CLOSE_MS, limits.slowConsumerTimeoutMs);
  }

  get count(): number {
    return this.#all.length;
  }

  /** The peers at this moment. */
  list(): readonly Peer[] {
    return [...this.#all];
  }

  at(index: number): Peer | undefined {
    return this.#all[index];
  }

  add(peer: Peer, socket: WebSocket<UserData>): void {
    peer.socket = socket;
    peer.probes.clear(this.#runningMs());
    this.#slots.set(peer, this.#all.push(peer) - 1);
    this.#fanout.opened(peer.app);
    this.#count();
  }

  remove(peer: Peer, code: number): void {
    this.#settle(peer, code);
    peer.socket = undefined;
    this.backlogs.note(peer, 0);
    const slot = this.#slots.get(peer);
    const last = this.#all.pop();
    if (slot === undefined || last === undefined) return;
    this.#slots.delete(peer);
    this.#fanout.closed(peer.app);
    if (last !== peer) {
      this.#all[slot] = last;
      this.#slots.set(last, slot);
    }
    if (peer.closing !== null) this.#closingCount--;
    this.#count();
  }

  /** Sends the replies and closes, as the outcome says; cuts a connection that has no room for them. */
  perform(peer: Peer, outcome: Outcome): void {
    const socket = peer.socket;
    if (socket === undefined || peer.closing !== null) return;
    if (outcome.refused !== 0) this.#counters.refused(outcome.refused);
    for (const message of pack(outcome.replies)) {
      if (socket.send(message, true) !== DROPPED) continue;
      this.cut(peer);
      return;
    }
    if (outcome.close !== null) this.close(peer, outcome.close);
  }

  /** Closes every connection of these sessions with one outcome. */
  performAll(sessions: readonly Session[], outcome: Outcome): void {
    for (const session of sessions) if (session.connection instanceof Peer) this.perform(session.connection, outcome);
  }

  /** Ends the session now, and the connection as soon as what waits for it is read, or is too old. */
  close(peer: Peer, close: Close): void {
    const socket = peer.socket;
    if (socket === undefined || peer.closing !== null) return;
    this.#counters.closed(close.code);
    this.#giveUp(peer, close);
    if (socket.getBufferedAmount() === 0) {
      this.#end(peer, socket, close);
      return;
    }
    for (const topic of socket.getTopics()) socket.unsubscribe(topic);
    if (peer.session !== null) this.#sessions.close(peer.session);
    peer.session = null;
  }

  /** Ends a connection that does not read, and with it every byte that waits. No close frame: it would wait behind them. */
  cut(peer: Peer): void {
    if (peer.socket === undefined) return;
    this.#counters.cutConnections++;
    this.drop(peer);
  }

  /** Ends a connection and its socket at once. */
  drop(peer: Peer): void {
    if (peer.socket === undefined) return;
    if (peer.closing === null) this.#giveUp(peer, CUT);
    peer.isCut = true;
    peer.socket.close();
  }

  /** Notes that frames for a connection were skipped. */
  markLossy(peer: Peer): void {
    const session = peer.session;
    if (session === null || session.isLossy) return;
    session.isLossy = true;
    this.#counters.slowConsumers++;
  }

  /** A connection has read something: it may be owed HEADs, or its close. */
  drained(peer: Peer, nowMs = this.#runningMs()): void {
    const { socket } = peer;
    if (socket === undefined) return;
    const buffered = socket.getBufferedAmount();
    this.backlogs.note(peer, buffered);
    if (buffered === 0) peer.probes.clear(nowMs);
    else if (peer.closing === null) {
      const spacingMs = this.#limits.slowConsumerTimeoutMs / PINGS_PER_TIMEOUT;
      peer.probes.ping(nowMs, spacingMs, (payload) => socket.ping(payload) !== DROPPED);
    }
    if (peer.closing !== null) {
      if (buffered === 0) this.#end(peer, socket, peer.closing);
    } else if (peer.session?.isLossy === true && buffered <= this.#limits.maxBufferedBytes / 4) {
      this.perform(peer, this.#sessions.headsFor(peer.session));
    }
  }

  /** Looks after one connection's deadlines: whoever would be late at the next look is ended at this one. */
  inspect(peer: Peer, { nowMs, nextMs, wallMs }: Look): void {
    if (peer.session !== null) {
      const due = checkExpiry(peer.session, wallMs);
      if (due !== NOTHING) this.perform(peer, due);
    } else if (peer.closing === null && nowMs >= peer.helloDeadlineMs) {
      this.perform(peer, closeWith(closeFor('hello_timeout')));
    }
    peer.inbox?.expire(peer);
    this.drained(peer, nowMs);
    if (peer.socket === undefined) return;
    if (peer.socket.getBufferedAmount() > 0) {
      const isTooOld = peer.probes.oldestMs(nextMs) > this.#limits.slowConsumerTimeoutMs;
      if (isTooOld || nextMs > peer.closeDeadlineMs) this.cut(peer);
    }
    if (peer.socket !== undefined && peer.closing === null) this.#keepAlive(peer, peer.socket, nowMs);
  }

  /** A ping now and then, and its pong, are traffic in both directions: what stands between does not think the connection dead. */
  #keepAlive(peer: Peer, socket: WebSocket<UserData>, nowMs: number): void {
    if (nowMs < peer.nextPingMs) return;
    const { pingIntervalMs } = this.#limits;
    if (peer.nextPingMs > 0) socket.ping();
    const share = peer.nextPingMs > 0 ? 1 : Math.random(); // those who came together are not pinged together
    peer.nextPingMs = nowMs + pingIntervalMs * share;
  }

  /** Says goodbye; the socket stays until the client has closed it too, so there cannot be any number of them. */
  #end(peer: Peer, socket: WebSocket<UserData>, close: Close): void {
    if (this.#budget.mayLinger(peer.isIn)) socket.end(close.code, close.reason);
    else this.drop(peer);
  }

  /** Gives back what a connection had; `code` is what it was closed with. */
  #settle(peer: Peer, code: number): void {
    const isGone = peer.isCut || (code === CUT.code && peer.place === null);
    if (!isGone) this.#budget.linger(peer.prefix);
    if (peer.place !== null) this.#budget.leave(peer.place);
    peer.place = null;
    if (peer.isIn) this.#budget.release();
    peer.isIn = false;
  }

  /** From here on a connection is not served, and has its time to go. */
  #giveUp(peer: Peer, close: Close): void {
    peer.closing = close;
    peer.closeDeadlineMs = this.#runningMs() + this.#closeMs;
    this.#closingCount++;
    this.#count();
  }

  #count(): void {
    this.#counters.connections = this.#all.length - this.#closingCount;
  }
}

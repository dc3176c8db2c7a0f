import type { Dispatch } from '../core/dispatch.ts';
import {
  closeFor,
  closeWith,
  LATER,
  NOTHING,
  type Outcome,
  protocolError,
  type RenewRequest,
} from '../core/outcome.ts';
import type { Clock, EndOfTurn } from '../core/ports.ts';
import { Verdict } from '../core/rate-limit.ts';
import type { Session } from '../core/session.ts';
import type { Sessions } from '../core/sessions.ts';
import type { Turn } from '../core/turn.ts';
import { faultOf, type Logger } from '../telemetry/logger.ts';
import type { Door } from './door.ts';
import { Inbox, SERVED } from './inbox.ts';
import { overwrite } from './overwrite.ts';
import { type Peer, peerOf, type UserData } from './peer.ts';
import type { Peers } from './peers.ts';
import type { WebSocket } from './uws.ts';

/** What the handlers of one listener need. */
export interface WebSocketPorts {
  readonly dispatch: Dispatch;
  readonly sessions: Sessions;
  readonly door: Door;
  readonly peers: Peers;
  readonly logger: Logger;
  readonly turn: Turn;
  readonly endOfTurn: EndOfTurn;
  readonly clock: Clock;
  /** Most bytes of one connection that may wait to be served, and how long, in running time. */
  readonly maxWaitingBytes: number;
  readonly maxWaitMs: number;
  readonly runningMs: () => number;
  /** Whether the connections speak TLS to this process. */
  readonly isTls: boolean;
}

/** What all connections together may have waiting to be served. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** Frames of one connection that are served in one turn: a tenth of its tenant's part, so that one with much to say does not keep the others waiting. */
const FRAMES_AT_ONCE = 200;

/** The socket events of the relay, as uWebSockets.js handlers: decode here, decide in core, perform what it returns. */
export function webSocketHandlers(ports: WebSocketPorts) {
  const { dispatch, sessions, door, peers, logger, turn, endOfTurn, clock, isTls } = ports;

  /** A fault of ours ends the connection it happened on, and no other. */
  const failed = (peer: Peer) => (error: unknown) => {
    logger.error(faultOf(error), 'a connection failed');
    peers.perform(peer, closeWith(closeFor('internal_error')));
  };

  function perform(peer: Peer, outcome: Outcome): void {
    peers.perform(peer, outcome);
    if (outcome.renew !== null && peer.session !== null) renew(peer, peer.session, outcome.renew);
  }

  function renew(peer: Peer, session: Session, request: RenewRequest): void {
    door
      .renew(session, request)
      .then((renewed) => {
        if (peer.session === session) peers.perform(peer, renewed);
      })
      .catch(failed(peer));
  }

  function hello(peer: Peer, bytes: Uint8Array): void {
    const read = door.readHello(peer, bytes);
    bytes.fill(0);
    if (!('token' in read)) {
      peers.perform(peer, read);
      return;
    }
    peer.isGreeting = true;
    door
      .verify(read.token)
      .then((verified) => {
        if (peer.socket !== undefined && peer.closing === null) peers.perform(peer, door.welcome(peer, verified));
      })
      .catch(failed(peer));
  }

  let serving: Peer | null = null;
  let servingTurn = 0;
  let frameCount = 0;

  /** Returns the offset of the first frame that must wait for a later turn, or SERVED. */
  function serve(peer: Peer, bytes: Uint8Array, start: number, isBinary: boolean): number {
    if (!isBinary) {
      peers.perform(peer, protocolError('text message'));
    } else if (peer.session === null) {
      hello(peer, bytes);
    } else {
      let pos = start;
      let outcome: Outcome;
      if (peer !== serving || turn.id !== servingTurn) {
        serving = peer;
        servingTurn = turn.id;
        frameCount = 0;
      }
      do {
        if (++frameCount > FRAMES_AT_ONCE) return pos;
        outcome = dispatch.serve(peer.session, bytes, pos);
        if (outcome === LATER) return pos;
        pos = dispatch.end;
        if (outcome.close !== null) bytes.fill(0);
        if (outcome !== NOTHING) perform(peer, outcome);
        peer.closing ??= outcome.close; // of a client that is gone already, too
      } while (outcome.close === null && pos < bytes.length && peer.session !== null);
    }
    return SERVED;
  }

  function receive(peer: Peer, bytes: Uint8Array, start: number, isBinary: boolean): number {
    if (peer.closing !== null) return SERVED;
    try {
      return serve(peer, bytes, start, isBinary);
    } catch (error) {
      failed(peer)(error); // uWebSockets.js would end the process
      return SERVED;
    }
  }

  /** A connection that is gone, once all it sent has taken effect. */
  function departed(peer: Peer): void {
    if (peer.session !== null) sessions.close(peer.session);
    peer.session = null;
  }

  const tooFast = (peer: Peer): void => peers.perform(peer, closeWith(closeFor('too_fast')));
  const inbox = new Inbox({
    serve: receive,
    overflow: tooFast,
    departed,
    flush: () => turn.flushAll(),
    endOfTurn,
    nowMs: ports.runningMs,
    maxBytes: ports.maxWaitingBytes,
    maxTotalBytes: MAX_WAITING_BYTES,
    maxWaitMs: ports.maxWaitMs,
  });

  /** Pays for a WebSocket ping, or a pong that nobody asked for; a connection that floods with them is ended. */
  function payControl(peer: Peer): void {
    if (peer.controls.take(1, clock.monotonicMs()) !== Verdict.FLOOD) return;
    if (peer.closing === null) tooFast(peer);
    else peers.cut(peer);
  }

  return {
    open(socket: WebSocket<UserData>): void {
      const peer = peerOf(socket);
      peers.add(peer, socket);
      const bearer = peer.bearer;
      peer.bearer = null;
      if (bearer === null) return;
      try {
        peers.perform(peer, door.welcome(peer, bearer));
      } catch (error) {
        failed(peer)(error);
      }
    },

    message(socket: WebSocket<UserData>, message: ArrayBuffer, isBinary: boolean): void {
      const peer = peerOf(socket);
      const isWaiting = isTls || inbox.holds(peer);
      const bytes = new Uint8Array(message);
      const rest = isWaiting ? 0 : receive(peer, bytes, 0, isBinary);
      if (rest !== SERVED) inbox.add(peer, message, rest, isBinary);
      if (peer.socket !== undefined) overwrite(bytes); // uWebSockets.js's memory, which it may have back once it closed the socket
    },

    dropped(socket: WebSocket<UserData>): void {
      peers.markLossy(peerOf(socket));
    },

    drain(socket: WebSocket<UserData>): void {
      peers.drained(peerOf(socket));
    },

    ping(socket: WebSocket<UserData>): void {
      payControl(peerOf(socket)); // uWebSockets.js has answered it
    },

    pong(socket: WebSocket<UserData>, payload: ArrayBuffer): void {
      const peer = peerOf(socket);
      if (!peer.probes.pong(payload)) payControl(peer);
    },

    close(socket: WebSocket<UserData>, code: number): void {
      const peer = peerOf(socket);
      peers.remove(peer, code);
      if (!inbox.holds(peer)) departed(peer);
    },
  };
}

import type { Dispatch } from '../core/dispatch.ts';
import { closeFor, closeWith, NOTHING, type Outcome, protocolError, type RenewRequest } from '../core/outcome.ts';
import type { EndOfTurn } from '../core/ports.ts';
import type { Session } from '../core/session.ts';
import type { Sessions } from '../core/sessions.ts';
import type { Turn } from '../core/turn.ts';
import { faultOf, type Logger } from '../telemetry/logger.ts';
import type { Door } from './door.ts';
import { Inbox } from './inbox.ts';
import type { Peer, UserData } from './peer.ts';
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
  /** Whether the connections speak TLS to this process. */
  readonly isTls: boolean;
}

/** The socket events of the relay, as uWebSockets.js handlers: decode here, decide in core, perform what it returns. */
export function webSocketHandlers(ports: WebSocketPorts) {
  const { dispatch, sessions, door, peers, logger, turn, endOfTurn, isTls } = ports;

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

  function serve(peer: Peer, message: ArrayBuffer, isBinary: boolean): void {
    const bytes = new Uint8Array(message);
    if (!isBinary) {
      peers.perform(peer, protocolError('text message'));
    } else if (peer.session === null) {
      hello(peer, bytes);
    } else {
      let pos = 0;
      let outcome: Outcome;
      do {
        outcome = dispatch.serve(peer.session, bytes, pos);
        pos = dispatch.end;
        if (outcome !== NOTHING) perform(peer, outcome);
      } while (outcome.close === null && pos < bytes.length && peer.session !== null);
    }
  }

  function receive(peer: Peer, message: ArrayBuffer, isBinary: boolean): void {
    if (peer.closing !== null) return;
    try {
      serve(peer, message, isBinary);
    } catch (error) {
      failed(peer)(error); // uWebSockets.js would end the process
    }
  }

  const inbox = isTls ? new Inbox(receive, endOfTurn, () => turn.flushAll()) : null;

  return {
    open(socket: WebSocket<UserData>): void {
      const peer = socket.getUserData().peer;
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
      const peer = socket.getUserData().peer;
      if (inbox === null) receive(peer, message, isBinary);
      else inbox.add(peer, message, isBinary);
    },

    dropped(socket: WebSocket<UserData>): void {
      peers.markLossy(socket.getUserData().peer);
    },

    drain(socket: WebSocket<UserData>): void {
      peers.drained(socket.getUserData().peer);
    },

    pong(socket: WebSocket<UserData>, payload: ArrayBuffer): void {
      socket.getUserData().peer.probes.pong(payload);
    },

    close(socket: WebSocket<UserData>): void {
      const peer = socket.getUserData().peer;
      peers.remove(peer);
      inbox?.finish(peer);
      if (peer.session === null) return;
      sessions.close(peer.session);
      peer.session = null;
    },
  };
}

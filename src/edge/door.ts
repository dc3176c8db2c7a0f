import { performance } from 'node:perf_hooks';
import type { VerifiedToken } from '../core/grants.ts';
import {
  closeFor,
  closeWith,
  helloRefused,
  type Outcome,
  protocolError,
  type RenewRequest,
  replyWith,
} from '../core/outcome.ts';
import type { Session } from '../core/session.ts';
import type { Sessions } from '../core/sessions.ts';
import { encodeFrame, readClientFrame } from '../protocol/codec.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { FrameType, VERSION, type WelcomeInfo } from '../protocol/frames.ts';
import { faultOf, type Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Budget } from './budget.ts';
import type { Peer } from './peer.ts';

/** What the door needs. `verify` checks signature and claims and never throws for what a token holds. */
export interface DoorPorts {
  readonly verify: (token: string | null) => Promise<VerifiedToken | Refusal>;
  readonly sessions: Sessions;
  readonly budget: Budget;
  readonly limits: WelcomeInfo['limits'];
  readonly boot: string;
  readonly isDraining: () => boolean;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

const FULL = refusal('overloaded', 'the relay is full');
const FAULT = refusal('internal_error', 'a fault of the relay');

/** Where all waiting is done: HELLO, RENEW and HTTP requests verify their tokens here. */
export class Door {
  readonly #ports: DoorPorts;

  constructor(ports: DoorPorts) {
    this.#ports = ports;
  }

  /** Verifies a token, revocations included; a fault of ours comes out as a refusal too. */
  async verify(token: string | null): Promise<VerifiedToken | Refusal> {
    const startMs = performance.now();
    try {
      const verified = await this.#ports.verify(token);
      if ('status' in verified) return verified;
      const admitted = this.#ports.sessions.admit(verified);
      return 'status' in admitted ? admitted : verified;
    } catch (error) {
      this.#ports.logger.error(faultOf(error), 'token verification failed');
      return FAULT;
    } finally {
      this.#ports.metrics.observeHandshake((performance.now() - startMs) / 1000);
    }
  }

  /** Reads the first message of a connection; a string is the token of a good HELLO. */
  readHello(peer: Peer, bytes: Uint8Array): Outcome | { readonly token: string | null } {
    if (peer.isGreeting) return protocolError('wait for WELCOME');
    if (bytes.length === 0) return protocolError('empty message');
    const read = readClientFrame(bytes, 0);
    if (typeof read === 'string') return protocolError(`expected HELLO: ${read}`);
    if (read.frame === undefined || read.frame[0] !== FrameType.HELLO) return protocolError('expected HELLO');
    if (read.end !== bytes.length) return protocolError('HELLO must be alone in its message');
    const [, version, token] = read.frame;
    if (version !== VERSION)
      return helloRefused(refusal('unsupported_version', `this relay speaks version ${VERSION}`));
    return { token };
  }

  /** Opens the session of a verified token, or says why not. */
  welcome(peer: Peer, verified: VerifiedToken | Refusal): Outcome {
    if (this.#ports.isDraining()) {
      return closeWith(closeFor('going_away'), encodeFrame([FrameType.GOAWAY, 0, 'shutdown']));
    }
    const opened = 'status' in verified ? verified : this.#open(peer, verified);
    if ('status' in opened) return helloRefused(opened);
    peer.session = opened;
    return replyWith(this.#welcomeFrame(opened));
  }

  /** Opens the session, in exchange for the place among those who have none. */
  #open(peer: Peer, verified: VerifiedToken): Session | Refusal {
    const { budget, sessions } = this.#ports;
    if (budget.isFull()) return FULL;
    const opened = sessions.open(peer, verified);
    if ('status' in opened) return opened;
    budget.admit(peer.place);
    peer.isIn = true;
    peer.place = null;
    return opened;
  }

  /** Verifies and applies a RENEW; the connection goes on meanwhile. */
  async renew(session: Session, request: RenewRequest): Promise<Outcome> {
    const verified = await this.verify(request.token);
    return this.#ports.sessions.renew(session, request.ref, verified);
  }

  #welcomeFrame(session: Session): Uint8Array {
    const { boot, limits } = this.#ports;
    return encodeFrame([
      FrameType.WELCOME,
      session.sender,
      { boot, expiry: Math.floor(session.token.expiresAtMs / 1000), limits },
    ]);
  }
}

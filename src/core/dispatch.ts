import { readClientFrame } from '../protocol/codec.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { type ClientFrame, FrameType, MAX_REF } from '../protocol/frames.ts';
import { isMessage, messageChannelId, messageEnd } from '../protocol/message.ts';
import type { Control } from './control.ts';
import { ATTACHMENTS_PER_UNIT, COST } from './costs.ts';
import { closeFor, LATER, NOTHING, type Outcome, protocolError, refuseWith } from './outcome.ts';
import type { Meter } from './ports.ts';
import { Verdict } from './rate-limit.ts';
import type { Router } from './router.ts';
import type { Session, SessionLimits } from './session.ts';
import type { Turn } from './turn.ts';

const TOO_FAST = refusal('too_fast', 'over the frames or bytes per second of this connection');
const FLOOD = refusal('too_fast', 'went on at twice the rate of this connection');
const TOO_LARGE = refusal('frame_too_large', 'over the maxFrameBytes of WELCOME');
const RENEW_IN_PROGRESS = refusal('renew_in_progress', 'another RENEW is being checked');

/** Serves the frames of a WebSocket message, one at a time, so that each outcome is performed before the next frame takes effect. */
export class Dispatch {
  /** The offset behind the frame served last. */
  end = 0;
  readonly #router: Router;
  readonly #control: Control;
  readonly #turn: Turn;
  readonly #meter: Meter;
  readonly #limits: SessionLimits;

  constructor(router: Router, control: Control, turn: Turn, meter: Meter, limits: SessionLimits) {
    this.#router = router;
    this.#control = control;
    this.#turn = turn;
    this.#meter = meter;
    this.#limits = limits;
  }

  /**
   * Serves the frame at `start`, whose bytes may be overwritten. An empty message is a frame that cannot be read. LATER leaves the frame
   * as it is, to be served in a later turn: the tenant has had its part of this one, or an earlier frame of the connection takes longer.
   */
  serve(session: Session, bytes: Uint8Array, start: number): Outcome {
    const { share } = session.tenant;
    this.#turn.open();
    if (session.isBusy) return LATER;
    if (share.isSpent(this.#turn.id)) {
      share.putOff(this.#turn.id);
      return LATER;
    }
    if (isMessage(bytes, start)) {
      this.end = messageEnd(bytes, start);
      if (this.end < 0) return protocolError('MESSAGE is not in its one legal encoding');
      const refused = this.#message(session, bytes, start, this.end);
      return refused === null ? NOTHING : this.#refuse(refused, null, messageChannelId(bytes, start));
    }
    if (bytes.length === 0) return protocolError('empty message');
    const read = readClientFrame(bytes, start);
    if (typeof read === 'string') return protocolError(read);
    this.end = read.end;
    return this.#request(session, read.frame as ClientFrame, read.end - start); // of an unknown type it is a string
  }

  #message(session: Session, bytes: Uint8Array, start: number, end: number): Refusal | null {
    const refused = this.#admit(session, end - start, COST.frame);
    if (refused !== null) return refused;
    if (end - start > this.#limits.maxFrameBytes) return TOO_LARGE;
    return this.#router.accept(session, bytes, start, end);
  }

  #request(session: Session, frame: ClientFrame, size: number): Outcome {
    if (frame[0] === FrameType.HELLO) return protocolError('HELLO was already said');
    const ref = frame[1];
    if (ref > MAX_REF) return protocolError('a ref is at most 2^32-1');
    const refused = this.#admit(session, size, priceOf(session, frame));
    if (refused !== null) return this.#refuse(refused, ref, null);
    switch (frame[0]) {
      case FrameType.ATTACH:
        return this.#control.attach(session, ref, frame[2], frame[3]);
      case FrameType.DETACH:
        return this.#control.detach(session, ref, frame[2]);
      case FrameType.PING:
        return this.#control.ping(ref);
      case FrameType.RENEW:
        if (session.isRenewing) return this.#refuse(RENEW_IN_PROGRESS, ref, null);
        session.isRenewing = true;
        return { replies: [], renew: { ref, token: frame[2] }, close: null, refused: 0 };
    }
  }

  #admit(session: Session, size: number, price: number): Refusal | null {
    this.#meter.framesIn++;
    this.#meter.bytesIn += size;
    const nowMs = this.#turn.monotonicMs;
    const affordable = Math.min(price, this.#limits.framesPerSecond); // else it could never be paid
    const verdict = Math.max(session.frameBucket.take(affordable, nowMs), session.byteBucket.take(size, nowMs));
    session.tenant.share.spend(verdict === Verdict.OK ? price : COST.frame);
    if (verdict === Verdict.OK) return null;
    return verdict === Verdict.FLOOD ? FLOOD : TOO_FAST;
  }

  #refuse(refused: Refusal, ref: number | null, channelId: number | null): Outcome {
    const to = { ref, channelId: channelId === null ? null : channelId >>> 0 };
    return refuseWith(refused, to, refused === FLOOD ? closeFor('too_fast') : null);
  }
}

/** What a request costs, in units. */
function priceOf(session: Session, frame: ClientFrame): number {
  if (frame[0] === FrameType.ATTACH) return COST.attach;
  if (frame[0] !== FrameType.RENEW) return COST.frame;
  return COST.renew + Math.ceil(session.attachmentCount / ATTACHMENTS_PER_UNIT);
}

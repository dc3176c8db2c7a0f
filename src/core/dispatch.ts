import { readClientFrame } from '../protocol/codec.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { type ClientFrame, FrameType, MAX_REF } from '../protocol/frames.ts';
import { isMessage, messageChannelId, messageEnd } from '../protocol/message.ts';
import type { Control } from './control.ts';
import { closeFor, closeWith, errorFrame, NOTHING, type Outcome, protocolError, replyWith } from './outcome.ts';
import type { Meter } from './ports.ts';
import { Verdict } from './rate-limit.ts';
import type { Router } from './router.ts';
import type { Session, SessionLimits } from './session.ts';
import type { Turn } from './turn.ts';

const TOO_FAST = refusal('too_fast', 'over the frames or bytes per second of this connection');
const FLOOD = refusal('too_fast', 'went on at twice the rate of this connection');
const TOO_LARGE = refusal('frame_too_large', 'over the maxFrameBytes of WELCOME');
const RENEW_IN_PROGRESS = refusal('renew_in_progress', 'another RENEW is being checked');

/** Serves the frames of one WebSocket message, in order. */
export class Dispatch {
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

  /** Serves every frame in `bytes`, which may be overwritten. Stops at the first that cannot be read. */
  receive(session: Session, bytes: Uint8Array): Outcome {
    this.#turn.open();
    if (bytes.length === 0) return protocolError('empty message');
    let outcome = NOTHING;
    for (let pos = 0; pos < bytes.length && outcome.close === null; ) {
      let end: number;
      let next = NOTHING;
      if (isMessage(bytes, pos)) {
        end = messageEnd(bytes, pos);
        const refused = end < 0 ? null : this.#message(session, bytes, pos, end);
        if (end < 0) next = protocolError('MESSAGE is not in its one legal encoding');
        else if (refused !== null) next = this.#refuse(refused, null, messageChannelId(bytes, pos));
      } else {
        const read = readClientFrame(bytes, pos);
        end = typeof read === 'string' ? bytes.length : read.end;
        next =
          typeof read === 'string' ? protocolError(read) : this.#request(session, read.frame as ClientFrame, end - pos); // unknown types are strings
      }
      if (next !== NOTHING) outcome = merge(outcome, next);
      pos = end;
    }
    return outcome;
  }

  #message(session: Session, bytes: Uint8Array, start: number, end: number): Refusal | null {
    const refused = this.#admit(session, end - start);
    if (refused !== null) return refused;
    if (end - start > this.#limits.maxFrameBytes) return TOO_LARGE;
    return this.#router.accept(session, bytes, start, end);
  }

  #request(session: Session, frame: ClientFrame, size: number): Outcome {
    if (frame[0] === FrameType.HELLO) return protocolError('HELLO was already said');
    const ref = frame[1];
    if (ref > MAX_REF) return protocolError('a ref is at most 2^32-1');
    const refused = this.#admit(session, size);
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
        return { reply: null, renew: { ref, token: frame[2] }, close: null };
    }
  }

  #admit(session: Session, size: number): Refusal | null {
    this.#meter.framesIn++;
    this.#meter.bytesIn += size;
    const nowMs = this.#turn.nowMs;
    const verdict = Math.max(session.frameBucket.take(1, nowMs), session.byteBucket.take(size, nowMs));
    if (verdict === Verdict.OK) return null;
    return verdict === Verdict.FLOOD ? FLOOD : TOO_FAST;
  }

  #refuse(refused: Refusal, ref: number | null, channelId: number | null): Outcome {
    this.#meter.refused(refused.status);
    const frame = errorFrame(refused, ref, channelId === null ? null : channelId >>> 0);
    return refused === FLOOD ? closeWith(closeFor('too_fast'), frame) : replyWith(frame);
  }
}

function merge(first: Outcome, second: Outcome): Outcome {
  if (first === NOTHING) return second;
  return {
    reply: concat(first.reply, second.reply),
    renew: first.renew ?? second.renew,
    close: second.close,
  };
}

function concat(a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null {
  if (a === null || b === null) return a ?? b;
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}

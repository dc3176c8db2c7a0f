import { encodeFrame } from '../protocol/codec.ts';
import { FrameType } from '../protocol/frames.ts';
import { closeFor, closeWith, NOTHING, type Outcome, replyWith } from './outcome.ts';
import type { Session } from './session.ts';

/** What a session is due at `nowMs`: EXPIRING ahead of its token's expiry, the close at it, or nothing. */
export function checkExpiry(session: Session, nowMs: number): Outcome {
  if (nowMs >= session.token.expiresAtMs) return closeWith(closeFor('token_expired'));
  if (nowMs < session.noticeAtMs) return NOTHING;
  session.noticeAtMs = Number.POSITIVE_INFINITY;
  return replyWith(encodeFrame([FrameType.EXPIRING, Math.ceil(session.token.expiresAtMs - nowMs)]));
}

import { encodeFrame } from '../protocol/codec.ts';
import { CLOSE_CODE, type CloseName, ERROR_STATUS, type Refusal, refusal } from '../protocol/codes.ts';
import { FrameType } from '../protocol/frames.ts';

/** How to end a connection. */
export interface Close {
  readonly code: number;
  readonly reason: string;
}

/** A token to verify at the door before the grants can be swapped. */
export interface RenewRequest {
  readonly ref: number;
  readonly token: string | null;
}

/** What the edge must do for the connection just served, in this order: send the replies, verify the renewal, close. */
export interface Outcome {
  readonly replies: readonly Uint8Array[];
  readonly renew: RenewRequest | null;
  readonly close: Close | null;
  /** The status of what was refused, 0 for nothing: counted when it is performed. */
  readonly refused: number;
}

/** What was refused: the request's ref and the channel it named, where there is one. */
export interface Refused {
  readonly ref?: number | null;
  readonly channelId?: number | null;
}

/** The outcome of nearly every message. */
export const NOTHING: Outcome = { replies: [], renew: null, close: null, refused: 0 };

/** The frame was not looked at: its turn comes in a later turn of the loop. Told from NOTHING by identity. */
export const LATER: Outcome = { replies: [], renew: null, close: null, refused: 0 };

/** An outcome that only replies. */
export function replyWith(...frames: readonly Uint8Array[]): Outcome {
  return frames.length === 0 ? NOTHING : { replies: frames, renew: null, close: null, refused: 0 };
}

/** An outcome that closes, after the given frames. */
export function closeWith(close: Close, ...frames: readonly Uint8Array[]): Outcome {
  return { replies: frames, renew: null, close, refused: 0 };
}

/** An outcome that refuses with an ERROR, and closes after it if asked to. */
export function refuseWith(refused: Refusal, to: Refused = {}, close: Close | null = null): Outcome {
  const error = errorFrame(refused, to.ref ?? null, to.channelId ?? null);
  return { replies: [error], renew: null, close, refused: refused.status };
}

/** The close for a name of the table, with an optional detail in its reason. */
export function closeFor(name: CloseName, detail?: string): Close {
  return { code: CLOSE_CODE[name], reason: detail === undefined ? name : `${name}: ${detail}` };
}

/** Encodes an ERROR frame. */
function errorFrame(refused: Refusal, ref: number | null, channelId: number | null = null): Uint8Array {
  return encodeFrame([FrameType.ERROR, ref, refused.status, refused.code, refused.detail, channelId]);
}

/** The ERROR and close for bytes that break the protocol. */
export function protocolError(detail: string): Outcome {
  return refuseWith(refusal('protocol_error', detail), {}, closeFor('protocol_error', detail));
}

/** The ERROR and close for a refused HELLO or upgrade; the table in docs/PROTOCOL.md, section 3. */
export function helloRefused(refused: Refusal): Outcome {
  const name = HELLO_CLOSE[refused.code] ?? (ERROR_STATUS[refused.code] >= 500 ? 'internal_error' : 'token_rejected');
  return refuseWith(refused, {}, closeFor(name, name === refused.code ? undefined : refused.code));
}

const HELLO_CLOSE: Partial<Record<Refusal['code'], CloseName>> = {
  unsupported_version: 'unsupported_version',
  token_missing: 'token_missing',
  token_expired: 'token_expired',
  token_not_yet_valid: 'token_not_yet_valid',
  token_revoked: 'token_revoked',
  too_many_connections: 'overloaded',
  overloaded: 'overloaded',
  too_many_user_connections: 'overloaded',
};

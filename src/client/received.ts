import { FrameType, type RelayFrame } from '../protocol/frames.ts';
import { MayflyError } from './errors.ts';
import { readFrames } from './wire.ts';

/** The frames of a WebSocket message. Throws a TypeError where they are none. */
export function framesOf(data: ArrayBuffer | string): Iterable<RelayFrame> {
  if (typeof data === 'string') throw new TypeError('text in place of binary');
  return readFrames(new Uint8Array(data));
}

/** The error for a message that cannot be read; the TypeError that says why is its cause. Other errors are the SDK's own, and thrown on. */
export function unreadable(error: unknown): MayflyError {
  if (!(error instanceof TypeError)) throw error;
  return new MayflyError('protocol_error', 'the relay sent what cannot be read', { cause: error });
}

/** What a frame answers; null when it answers nothing. */
export function refOf(frame: RelayFrame): number | null {
  switch (frame[0]) {
    case FrameType.ATTACHED:
    case FrameType.DETACHED:
    case FrameType.RENEWED:
    case FrameType.PONG:
    case FrameType.ERROR:
      return frame[1];
    default:
      return null;
  }
}

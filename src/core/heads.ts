import { encodeFrame } from '../protocol/codec.ts';
import { FrameType, Mode } from '../protocol/frames.ts';
import { occupancyFrame } from './presence.ts';
import { type Attachment, isReceiving, type Session } from './session.ts';
import type { Turn } from './turn.ts';

/** Encodes HEAD: with it a client counts exactly what it lost. Frames that wait must have been flushed. */
export function headFrame(attachment: Attachment): Uint8Array {
  return encodeFrame([FrameType.HEAD, attachment.channel.id, attachment.channel.seq, attachment.own]);
}

/** HEAD for every channel a connection receives, and OCCUPANCY where it asked for presence: owed once it has room again. */
export function heads(session: Session, turn: Turn): Uint8Array[] {
  const frames: Uint8Array[] = [];
  for (const attachment of session.attachments.values()) {
    turn.flush(attachment.channel.frames);
    if (isReceiving(attachment)) frames.push(headFrame(attachment));
    if ((attachment.modes & Mode.PRESENCE) !== 0) frames.push(occupancyFrame(attachment.channel));
  }
  return frames;
}

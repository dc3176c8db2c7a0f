import { encodeFrame } from '../protocol/codec.ts';
import { FrameType, Mode } from '../protocol/frames.ts';
import { maySubscribePattern, permissionsFor } from './authorize.ts';
import type { Channels } from './channels.ts';
import type { Rules } from './grants.ts';
import type { Session } from './session.ts';

const ASKED = Mode.SUBSCRIBE | Mode.PUBLISH | Mode.PRESENCE;

/**
 * Puts other rules in force on a live session, atomically: attachments they do not cover end, all others go on without a gap.
 * Returns a DETACHED frame for each one ended.
 */
export function regrant(session: Session, rules: Rules, channels: Channels): Uint8Array[] {
  session.rules = rules;
  const detached: Uint8Array[] = [];
  const end = (id: number): void => {
    detached.push(encodeFrame([FrameType.DETACHED, null, id, 403, 'forbidden']));
  };
  for (const attached of session.patterns.values()) {
    if (maySubscribePattern(rules, attached.pattern)) continue;
    channels.detachPattern(attached);
    end(attached.id);
  }
  for (const attachment of session.attachments.values()) {
    const asked = attachment.modes & ASKED;
    if ((permissionsFor(rules, attachment.channel.segments) & asked) === asked) continue;
    channels.detach(session, attachment);
    end(attachment.channel.id);
  }
  return detached;
}

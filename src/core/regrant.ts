import { encodeFrame } from '../protocol/codec.ts';
import { FrameType, Mode } from '../protocol/frames.ts';
import { maySubscribePattern, permissionsFor } from './authorize.ts';
import type { Channels } from './channels.ts';
import { ATTACHMENTS_PER_UNIT } from './costs.ts';
import type { Rules } from './grants.ts';
import type { Session } from './session.ts';
import type { Work } from './slices.ts';

const ASKED = Mode.SUBSCRIBE | Mode.PUBLISH | Mode.PRESENCE;
const LOOKS_PER_PIECE = 100;

/**
 * Puts other rules in force on a live session: at once for what it asks from now on, and over the next turns for its attachments: those
 * that the rules do not cover end, all others go on without a gap. Adds a DETACHED frame to `detached` for each one ended.
 */
export function* regrant(session: Session, rules: Rules, channels: Channels, detached: Uint8Array[]): Work {
  session.rules = rules;
  const end = (id: number): void => {
    detached.push(encodeFrame([FrameType.DETACHED, null, id, 403, 'forbidden']));
  };
  let looks = 0;
  for (const attached of [...session.patterns.values()]) {
    if (++looks % LOOKS_PER_PIECE === 0) yield LOOKS_PER_PIECE / ATTACHMENTS_PER_UNIT;
    if (!attached.isAttached || maySubscribePattern(session.rules, attached.pattern)) continue;
    yield* channels.detachPattern(attached);
    end(attached.id);
  }
  for (const attachment of [...session.attachments.values()]) {
    if (attachment.modes === 0) continue;
    if (++looks % LOOKS_PER_PIECE === 0) yield LOOKS_PER_PIECE / ATTACHMENTS_PER_UNIT;
    const asked = attachment.modes & ASKED;
    if (asked === 0 || (permissionsFor(session.rules, attachment.channel.segments) & asked) === asked) continue;
    channels.detach(session, attachment);
    end(attachment.channel.id);
  }
}

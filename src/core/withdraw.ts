import { hasWildcard, matches, overlaps, type Pattern } from '../protocol/channel.ts';
import { encodeFrame } from '../protocol/codec.ts';
import { FrameType } from '../protocol/frames.ts';
import type { Channel } from './channel.ts';
import type { Channels } from './channels.ts';
import { COST } from './costs.ts';
import type { Fanout } from './ports.ts';
import { coversToken, type Revocation } from './revocations.ts';
import type { Attachment, Session } from './session.ts';
import type { Work } from './slices.ts';
import type { Tenant } from './tenant.ts';

/** What a revocation did: connections that were closed, and attachments it ended on others. */
export interface Withdrawal {
  closed: number;
  detached: number;
}

/** What a withdrawal needs. `close` ends the connection of a session. */
export interface WithdrawPorts {
  readonly channels: Channels;
  readonly fanout: Fanout;
  readonly close: (session: Session) => void;
}

const SESSIONS_PER_PIECE = 500;
const ATTACHMENTS_PER_PIECE = 1000;
/** Looking at so many costs about what a small frame does. */
const LOOKS_PER_UNIT = 50;

/**
 * Carries a revocation that is in force already through to the live sessions of its tenant: only what it covers is looked at, and every session is
 * compared with it once.
 */
export function* withdraw(tenant: Tenant, revocation: Revocation, withdrawal: Withdrawal, ports: WithdrawPorts): Work {
  const { target, beforeMs } = revocation;
  const denied = 'channel' in target ? target.channel : undefined;
  const name = denied?.join('.');
  const only = name === undefined || hasWildcard(name) ? undefined : (tenant.channels.get(name) ?? null);
  let looks = 0;
  for (const session of tenant.sessions) {
    if (++looks % SESSIONS_PER_PIECE === 0) yield SESSIONS_PER_PIECE / LOOKS_PER_UNIT;
    if (denied !== undefined) {
      if (session.token.issuedAtMs < beforeMs) yield* withdrawChannel(session, denied, only, withdrawal, ports);
    } else if (coversToken(revocation, session.token)) {
      ports.close(session);
      withdrawal.closed++;
      yield COST.attach;
    }
  }
}

/** Ends what a session has of the channels that `denied` matches; `only` is the one there is, null for none, undefined for who knows. */
function* withdrawChannel(
  session: Session,
  denied: Pattern,
  only: Channel | null | undefined,
  withdrawal: Withdrawal,
  { channels, fanout }: WithdrawPorts,
): Work {
  const ended = (id: number): void => {
    withdrawal.detached++;
    fanout.send(session.connection, encodeFrame([FrameType.DETACHED, null, id, 403, 'forbidden']));
  };
  for (const attached of [...session.patterns.values()]) {
    if (!attached.isAttached || !overlaps(denied, attached.pattern)) continue;
    yield* channels.detachPattern(attached);
    if (!session.isClosed) ended(attached.id);
  }
  let looks = 0;
  for (const attachment of attachmentsIn(session, only)) {
    if (++looks % ATTACHMENTS_PER_PIECE === 0) yield ATTACHMENTS_PER_PIECE / LOOKS_PER_UNIT;
    if (attachment.modes === 0 || !matches(denied, attachment.channel.segments)) continue;
    channels.detach(session, attachment);
    ended(attachment.channel.id);
    yield COST.reach;
  }
}

function attachmentsIn(session: Session, only: Channel | null | undefined): readonly Attachment[] {
  if (only === undefined) return [...session.attachments.values()];
  const attachment = only === null ? undefined : session.attachments.get(only.id);
  return attachment === undefined ? [] : [attachment];
}

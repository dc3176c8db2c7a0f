import { hasWildcard, isChannelName, parsePattern } from '../protocol/channel.ts';
import { encodeFrame } from '../protocol/codec.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { FrameType, Mode } from '../protocol/frames.ts';
import { maySubscribePattern, permissionsFor } from './authorize.ts';
import type { Channels } from './channels.ts';
import { COST } from './costs.ts';
import { headFrame } from './heads.ts';
import { NOTHING, type Outcome, refuseWith, replyWith } from './outcome.ts';
import type { Fanout } from './ports.ts';
import { isReceiving, type Session, type SessionLimits } from './session.ts';
import type { Slices, Work } from './slices.ts';
import type { Turn } from './turn.ts';

const REQUESTABLE = Mode.SUBSCRIBE | Mode.PUBLISH | Mode.PRESENCE;
const ECHOING = Mode.SUBSCRIBE | Mode.PUBLISH | Mode.ECHO;
const BAD_MODES = refusal('bad_modes', 'modes is a sum of 1, 2, 4 and 8; 8 goes with 1 and 2');
const BAD_PATTERN_MODES = refusal('bad_modes', 'a pattern takes modes 1');
const BAD_CHANNEL = refusal('bad_channel', 'not a channel name or pattern, or reserved');
const NOT_GRANTED = refusal('forbidden', 'the token does not permit all of the modes');
const NOT_COVERED = refusal('forbidden', 'no one grant covers the pattern, or a denial touches it');
const ALREADY_ATTACHED = refusal('already_attached', 'detach first');
const NOT_ATTACHED = refusal('not_attached', 'this connection is not attached to that channel');
const TOO_MANY_ATTACHMENTS = refusal('too_many_attachments', 'over the maxAttachments of WELCOME');

/** What the control frames need. */
export interface ControlPorts {
  readonly channels: Channels;
  readonly turn: Turn;
  readonly fanout: Fanout;
  readonly slices: Slices;
  readonly limits: SessionLimits;
}

/** ATTACH, DETACH and PING. */
export class Control {
  readonly #channels: Channels;
  readonly #turn: Turn;
  readonly #fanout: Fanout;
  readonly #slices: Slices;
  readonly #limits: SessionLimits;

  constructor({ channels, turn, fanout, slices, limits }: ControlPorts) {
    this.#channels = channels;
    this.#turn = turn;
    this.#fanout = fanout;
    this.#slices = slices;
    this.#limits = limits;
  }

  /** Attaches a name or a pattern; replies ATTACHED or ERROR. NAMED for what a pattern reaches follows, over as many turns as that takes. */
  attach(session: Session, ref: number, text: string, modes: number): Outcome {
    return hasWildcard(text)
      ? this.#attachPattern(session, ref, text, modes)
      : this.#attachName(session, ref, text, modes);
  }

  /** Detaches a name or a pattern by its id; replies DETACHED or ERROR. */
  detach(session: Session, ref: number, channelId: number): Outcome {
    const attached = session.patterns.get(channelId);
    const attachment = session.attachments.get(channelId);
    const detached = encodeFrame([FrameType.DETACHED, ref, channelId, 200, 'detached']);
    if (attached !== undefined) {
      this.#work(session, this.#channels.detachPattern(attached), () =>
        this.#fanout.send(session.connection, detached),
      );
      return NOTHING;
    }
    if (attachment === undefined || attachment.modes === 0) return this.#refuse(ref, NOT_ATTACHED, channelId);
    this.#channels.detach(session, attachment);
    return replyWith(detached);
  }

  /** Answers behind everything that was accepted before. */
  ping(ref: number): Outcome {
    this.#turn.flushAll();
    return replyWith(encodeFrame([FrameType.PONG, ref]));
  }

  #attachName(session: Session, ref: number, name: string, modes: number): Outcome {
    if ((modes & REQUESTABLE) === 0 || modes > 15) return this.#refuse(ref, BAD_MODES);
    if ((modes & Mode.ECHO) !== 0 && (modes & ECHOING) !== ECHOING) return this.#refuse(ref, BAD_MODES);
    if (!isChannelName(name)) return this.#refuse(ref, BAD_CHANNEL);
    const segments = name.split('.');
    const asked = modes & REQUESTABLE; // the bits of modes and permissions are the same
    if ((permissionsFor(session.rules, segments) & asked) !== asked) return this.#refuse(ref, NOT_GRANTED);
    const live = session.tenant.channels.get(name);
    const existing = live === undefined ? undefined : session.attachments.get(live.id);
    if (existing !== undefined && existing.modes !== 0) return this.#refuse(ref, ALREADY_ATTACHED, existing.channel.id);
    if (session.attachmentCount >= this.#limits.maxAttachments) return this.#refuse(ref, TOO_MANY_ATTACHMENTS);
    const channel = live ?? this.#channels.open(session.tenant, session.user, name, segments);
    if ('status' in channel) return this.#refuse(ref, channel);
    if (live === undefined) session.frameBucket.take(COST.reach * channel.occupancy, this.#turn.monotonicMs); // a debt
    const heads: Uint8Array[] = [];
    if (existing !== undefined && session.isLossy && isReceiving(existing)) {
      this.#turn.flush(channel.frames);
      heads.push(headFrame(existing)); // the base is about to change: say what was lost before it
    }
    this.#channels.attach(session, channel, modes);
    const attached = encodeFrame([FrameType.ATTACHED, ref, channel.id, modes, channel.seq, channel.occupancy]);
    return replyWith(...heads, attached);
  }

  #attachPattern(session: Session, ref: number, text: string, modes: number): Outcome {
    const pattern = parsePattern(text);
    if (pattern === undefined) return this.#refuse(ref, BAD_CHANNEL);
    if (modes !== Mode.SUBSCRIBE) return this.#refuse(ref, BAD_PATTERN_MODES);
    if (!maySubscribePattern(session.rules, pattern)) return this.#refuse(ref, NOT_COVERED);
    for (const other of session.patterns.values()) {
      if (other.text === text) return this.#refuse(ref, ALREADY_ATTACHED, other.id);
    }
    if (session.attachmentCount >= this.#limits.maxAttachments) return this.#refuse(ref, TOO_MANY_ATTACHMENTS);
    const attached = this.#channels.attachPattern(session, text, pattern);
    this.#fanout.send(session.connection, encodeFrame([FrameType.ATTACHED, ref, attached.id, modes, 0, 0]));
    this.#work(session, this.#channels.patterns.tell(attached, true));
    return NOTHING;
  }

  /** Does work of a frame that may take several turns; what the connection sends behind it waits until it is done. */
  #work(session: Session, work: Work, done?: () => void): void {
    session.isBusy = true;
    this.#slices.begin(session.tenant.share, work, () => {
      session.isBusy = false;
      if (session.isClosed) return;
      done?.();
      this.#fanout.resume(session.connection);
    });
  }

  #refuse(ref: number, refused: Refusal, channelId: number | null = null): Outcome {
    return refuseWith(refused, { ref, channelId });
  }
}

import { hasWildcard, isChannelName, parsePattern } from '../protocol/channel.ts';
import { encodeFrame } from '../protocol/codec.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { FrameType, Mode } from '../protocol/frames.ts';
import { maySubscribePattern, permissionsFor } from './authorize.ts';
import type { Channels } from './channels.ts';
import { headFrame } from './heads.ts';
import { errorFrame, type Outcome, replyWith } from './outcome.ts';
import type { Meter } from './ports.ts';
import { Verdict } from './rate-limit.ts';
import { isReceiving, type Session, type SessionLimits } from './session.ts';
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
const REACHES_TOO_MANY = refusal(
  'too_many_channels',
  'the pattern reaches more channels than a connection can be told of',
);
const TOO_FAST = refusal('too_fast', 'a pattern counts as a frame for every ten live channels');
/** Matching a pattern against ten channels costs about what a frame does. */
const CHANNELS_PER_FRAME = 10;
const TOO_MANY_ATTACHMENTS = refusal('too_many_attachments', 'over the maxAttachments of WELCOME');

/** ATTACH, DETACH and PING. */
export class Control {
  readonly #channels: Channels;
  readonly #turn: Turn;
  readonly #meter: Meter;
  readonly #limits: SessionLimits;

  constructor(channels: Channels, turn: Turn, meter: Meter, limits: SessionLimits) {
    this.#channels = channels;
    this.#turn = turn;
    this.#meter = meter;
    this.#limits = limits;
  }

  /** Attaches a name or a pattern; replies ATTACHED (and NAMED for what a pattern reaches) or ERROR. */
  attach(session: Session, ref: number, text: string, modes: number): Outcome {
    return hasWildcard(text)
      ? this.#attachPattern(session, ref, text, modes)
      : this.#attachName(session, ref, text, modes);
  }

  /** Detaches a name or a pattern by its id; replies DETACHED or ERROR. */
  detach(session: Session, ref: number, channelId: number): Outcome {
    const attached = session.patterns.get(channelId);
    const attachment = session.attachments.get(channelId);
    if (attached !== undefined) this.#channels.detachPattern(attached);
    else if (attachment !== undefined && attachment.modes !== 0) this.#channels.detach(session, attachment);
    else return this.#refuse(ref, NOT_ATTACHED, channelId);
    return replyWith(encodeFrame([FrameType.DETACHED, ref, channelId, 200, 'detached']));
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
    const channel = this.#channels.open(session.tenant, name, segments);
    if ('status' in channel) return this.#refuse(ref, channel);
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
    const cost = Math.min(this.#limits.framesPerSecond, Math.floor(session.tenant.channels.size / CHANNELS_PER_FRAME));
    if (session.frameBucket.take(cost, this.#turn.monotonicMs) !== Verdict.OK) return this.#refuse(ref, TOO_FAST);
    const { attached, named } = this.#channels.attachPattern(session, text, pattern);
    const namedBytes = named.reduce((sum, frame) => sum + frame.length, 0);
    if (namedBytes > this.#limits.maxBufferedBytes / 4) {
      this.#channels.detachPattern(attached);
      return this.#refuse(ref, REACHES_TOO_MANY);
    }
    return replyWith(encodeFrame([FrameType.ATTACHED, ref, attached.id, modes, 0, 0]), ...named);
  }

  #refuse(ref: number, refused: Refusal, channelId: number | null = null): Outcome {
    this.#meter.refused(refused.status);
    return replyWith(errorFrame(refused, ref, channelId));
  }
}

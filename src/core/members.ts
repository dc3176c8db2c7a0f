import { Mode } from '../protocol/frames.ts';
import type { Channel } from './channel.ts';
import type { Fanout, Meter } from './ports.ts';
import type { Presence } from './presence.ts';
import { type Attachment, isReceiving, type Session } from './session.ts';
import type { Turn } from './turn.ts';

/** Who is in which channel, and who gets its frames: the steps that names and patterns share. */
export class Members {
  readonly #fanout: Fanout;
  readonly #turn: Turn;
  readonly #meter: Meter;
  readonly #presence: Presence;
  /** Called when a channel has no connection left, and when none is left in it by name. */
  readonly #deserted: (channel: Channel) => void;

  constructor(fanout: Fanout, turn: Turn, meter: Meter, presence: Presence, deserted: (channel: Channel) => void) {
    this.#fanout = fanout;
    this.#turn = turn;
    this.#meter = meter;
    this.#presence = presence;
    this.#deserted = deserted;
  }

  /** The session's attachment in the channel, made if need be. */
  enter(session: Session, channel: Channel): Attachment {
    const existing = session.attachments.get(channel.id);
    if (existing !== undefined) return existing;
    const attachment: Attachment = { channel, modes: 0, patternCount: 0, own: 0 };
    session.attachments.set(channel.id, attachment);
    channel.occupancy++;
    this.#meter.attachments++;
    this.#presence.changed(channel);
    return attachment;
  }

  /** Takes the session out of the channel. */
  exit(session: Session, channel: Channel): void {
    session.attachments.delete(channel.id);
    channel.occupancy--;
    this.#meter.attachments--;
    if (channel.occupancy > 0) this.#presence.changed(channel);
    if (channel.namedCount === 0) this.#deserted(channel);
  }

  /** One more pattern of the session reaches the channel; whether its frames now come that did not come before. */
  reach(session: Session, channel: Channel): boolean {
    const attachment = this.enter(session, channel);
    attachment.patternCount++;
    if (attachment.patternCount > 1 || (attachment.modes & Mode.SUBSCRIBE) !== 0) return false;
    attachment.own = 0;
    this.subscribe(session, channel);
    return true;
  }

  /** One pattern less reaches the channel. */
  unreach(session: Session, attachment: Attachment): void {
    attachment.patternCount--;
    if (isReceiving(attachment)) return;
    this.unsubscribe(session, attachment.channel);
    if (attachment.modes === 0) this.exit(session, attachment.channel);
  }

  subscribe(session: Session, channel: Channel): void {
    this.#turn.flush(channel.frames); // frames from before must not reach the newcomer
    this.#fanout.subscribe(session.connection, channel.frames.topic);
    channel.frames.subscriberCount++;
  }

  unsubscribe(session: Session, channel: Channel): void {
    this.#turn.flush(channel.frames); // frames from before are still the leaver's
    if (!session.isClosed) this.#fanout.unsubscribe(session.connection, channel.frames.topic);
    channel.frames.subscriberCount--;
  }
}

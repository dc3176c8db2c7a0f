import { matches, type Pattern } from '../protocol/channel.ts';
import { encodeFrame } from '../protocol/codec.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { FrameType, Mode } from '../protocol/frames.ts';
import { Channel } from './channel.ts';
import { randomId } from './ids.ts';
import type { Fanout, Meter } from './ports.ts';
import { Presence } from './presence.ts';
import { type Attachment, isReceiving, type PatternAttachment, type Session } from './session.ts';
import type { Tenant } from './tenant.ts';
import type { Turn } from './turn.ts';

/** Which connection is in which channel, by name or through a pattern. Everything here was authorized by the caller. */
export class Channels {
  readonly presence: Presence;
  readonly #ids = new Set<number>();
  /** Channels that only patterns keep alive, with the number and time they were last seen at. */
  readonly #orphans = new Map<Channel, { seq: number; sinceMs: number }>();
  readonly #fanout: Fanout;
  readonly #turn: Turn;
  readonly #meter: Meter;

  constructor(fanout: Fanout, turn: Turn, meter: Meter) {
    this.#fanout = fanout;
    this.#turn = turn;
    this.#meter = meter;
    this.presence = new Presence(turn);
  }

  /** The live channel of that name; brought to life if need be, and announced to every pattern it matches. */
  open(tenant: Tenant, name: string, segments: Pattern): Channel | Refusal {
    const live = tenant.channels.get(name);
    if (live !== undefined) return live;
    if (tenant.channels.size >= tenant.limits.channels)
      return refusal('too_many_channels', 'the tenant has too many live channels');
    const channel = new Channel(this.#newId(), name, segments, tenant);
    tenant.channels.set(name, channel);
    this.#meter.channels++;
    this.#orphan(channel);
    for (const attached of tenant.patterns) {
      if (!matches(attached.pattern, segments)) continue;
      const named = this.#reach(attached.session, channel);
      if (named !== undefined) this.#fanout.send(attached.session.connection, named);
    }
    return channel;
  }

  /** Attaches by name. The session has no attachment by name in this channel yet. */
  attach(session: Session, channel: Channel, modes: number): void {
    this.#turn.flush(channel.frames); // what came before is not counted from the new base
    const attachment = this.#enter(session, channel);
    const wasReceiving = isReceiving(attachment);
    attachment.modes = modes;
    attachment.own = 0;
    channel.namedCount++;
    session.attachmentCount++;
    this.#orphans.delete(channel);
    if (!wasReceiving && isReceiving(attachment)) this.#subscribe(session, channel);
    if ((modes & Mode.PRESENCE) === 0) return;
    this.#turn.flush(channel.notices); // nor are notices from before the newcomer's
    channel.notices.subscriberCount++;
    this.#fanout.subscribe(session.connection, channel.notices.topic);
  }

  /** Ends the attachment by name; patterns may still reach the channel. */
  detach(session: Session, attachment: Attachment): void {
    const channel = attachment.channel;
    if ((attachment.modes & Mode.PRESENCE) !== 0) {
      channel.notices.subscriberCount--;
      this.#fanout.unsubscribe(session.connection, channel.notices.topic);
    }
    const wasReceiving = isReceiving(attachment);
    attachment.modes = 0;
    channel.namedCount--;
    session.attachmentCount--;
    if (wasReceiving && !isReceiving(attachment)) this.#unsubscribe(session, channel);
    this.presence.left(channel, session.sender);
    if (attachment.patternCount === 0) this.#exit(session, channel);
    else if (channel.namedCount === 0) this.#orphan(channel);
  }

  /** Attaches a pattern; returns it and a NAMED frame for each live channel newly reached. */
  attachPattern(
    session: Session,
    text: string,
    pattern: Pattern,
  ): { attached: PatternAttachment; named: Uint8Array[] } {
    const attached: PatternAttachment = { id: this.#newId(), text, pattern, session };
    session.patterns.set(attached.id, attached);
    session.tenant.patterns.add(attached);
    session.attachmentCount++;
    this.#meter.attachments++;
    const named: Uint8Array[] = [];
    for (const channel of session.tenant.channels.values()) {
      const frame = matches(pattern, channel.segments) ? this.#reach(session, channel) : undefined;
      if (frame !== undefined) named.push(frame);
    }
    return { attached, named };
  }

  /** Detaches a pattern, and so leaves the channels that nothing else of the session reaches. */
  detachPattern(attached: PatternAttachment): void {
    const { session } = attached;
    this.#forgetPattern(attached);
    for (const attachment of session.attachments.values()) {
      if (attachment.patternCount === 0 || !matches(attached.pattern, attachment.channel.segments)) continue;
      attachment.patternCount--;
      if (isReceiving(attachment)) continue;
      this.#unsubscribe(session, attachment.channel);
      if (attachment.modes === 0) this.#exit(session, attachment.channel);
    }
  }

  /** Forgets a connection that is gone; its native subscriptions went with it. */
  leave(session: Session): void {
    for (const attached of session.patterns.values()) this.#forgetPattern(attached);
    for (const attachment of session.attachments.values()) {
      const channel = attachment.channel;
      if (channel.frames.except === session.connection) channel.frames.except = null; // no subscriber any more
      if (isReceiving(attachment)) channel.frames.subscriberCount--;
      if (attachment.modes !== 0) {
        channel.namedCount--;
        if ((attachment.modes & Mode.PRESENCE) !== 0) channel.notices.subscriberCount--;
        this.presence.left(channel, session.sender);
      }
      this.#exit(session, channel);
    }
  }

  /** Ends channels that only patterns reach and that had no frame for `idleMs`. */
  reap(nowMs: number, idleMs: number): void {
    for (const [channel, seen] of this.#orphans) {
      if (channel.seq !== seen.seq) {
        seen.seq = channel.seq;
        seen.sinceMs = nowMs;
      } else if (nowMs - seen.sinceMs >= idleMs) {
        this.#end(channel);
      }
    }
  }

  #reach(session: Session, channel: Channel): Uint8Array | undefined {
    const attachment = this.#enter(session, channel);
    attachment.patternCount++;
    if (attachment.patternCount > 1 || (attachment.modes & Mode.SUBSCRIBE) !== 0) return undefined;
    attachment.own = 0;
    this.#subscribe(session, channel);
    return encodeFrame([FrameType.NAMED, channel.id, channel.name, channel.seq]);
  }

  #enter(session: Session, channel: Channel): Attachment {
    const existing = session.attachments.get(channel.id);
    if (existing !== undefined) return existing;
    const attachment: Attachment = { channel, modes: 0, patternCount: 0, own: 0 };
    session.attachments.set(channel.id, attachment);
    channel.occupancy++;
    this.#meter.attachments++;
    this.presence.changed(channel);
    return attachment;
  }

  #exit(session: Session, channel: Channel): void {
    session.attachments.delete(channel.id);
    channel.occupancy--;
    this.#meter.attachments--;
    if (channel.occupancy === 0) this.#forget(channel);
    else {
      this.presence.changed(channel);
      if (channel.namedCount === 0) this.#orphan(channel);
    }
  }

  /** Begins a channel's minute, unless it has begun. */
  #orphan(channel: Channel): void {
    if (!this.#orphans.has(channel)) this.#orphans.set(channel, { seq: channel.seq, sinceMs: this.#turn.monotonicMs });
  }

  #end(channel: Channel): void {
    this.#turn.flush(channel.frames);
    const ended = encodeFrame([FrameType.DETACHED, null, channel.id, 200, 'channel_ended']);
    for (const { session } of channel.tenant.patterns) {
      if (!session.attachments.has(channel.id)) continue;
      this.#unsubscribe(session, channel);
      this.#fanout.send(session.connection, ended);
      this.#exit(session, channel);
    }
    this.#forget(channel);
  }

  #forget(channel: Channel): void {
    if (!this.#ids.delete(channel.id)) return;
    this.#orphans.delete(channel);
    channel.tenant.channels.delete(channel.name);
    this.#meter.channels--;
  }

  #forgetPattern(attached: PatternAttachment): void {
    const { session } = attached;
    session.patterns.delete(attached.id);
    session.tenant.patterns.delete(attached);
    session.attachmentCount--;
    this.#ids.delete(attached.id);
    this.#meter.attachments--;
  }

  #subscribe(session: Session, channel: Channel): void {
    this.#turn.flush(channel.frames); // frames from before must not reach the newcomer
    this.#fanout.subscribe(session.connection, channel.frames.topic);
    channel.frames.subscriberCount++;
  }

  #unsubscribe(session: Session, channel: Channel): void {
    this.#turn.flush(channel.frames); // frames from before are still the leaver's
    this.#fanout.unsubscribe(session.connection, channel.frames.topic);
    channel.frames.subscriberCount--;
  }

  #newId(): number {
    const id = randomId((taken) => this.#ids.has(taken));
    this.#ids.add(id);
    return id;
  }
}

import type { Pattern } from '../protocol/channel.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { Mode } from '../protocol/frames.ts';
import { Channel } from './channel.ts';
import { COST } from './costs.ts';
import { randomId } from './ids.ts';
import { Members } from './members.ts';
import { Orphans } from './orphans.ts';
import { Patterns } from './patterns.ts';
import type { Fanout, Meter } from './ports.ts';
import { Presence } from './presence.ts';
import { type Attachment, isReceiving, type PatternAttachment, type Session } from './session.ts';
import { Share } from './share.ts';
import type { Slices, Work } from './slices.ts';
import type { Tenant } from './tenant.ts';
import type { Turn } from './turn.ts';
import type { User } from './user.ts';

const TENANT_FULL = refusal('too_many_channels', 'the tenant has too many live channels');
const USER_FULL = refusal('too_many_channels', 'this user has brought too many live channels to life');

/** What the channels need of the relay. */
export interface ChannelsPorts {
  readonly fanout: Fanout;
  readonly turn: Turn;
  readonly meter: Meter;
  readonly slices: Slices;
  readonly maxBufferedBytes: number;
}

/** Which connection is in which channel, by name or through a pattern. Everything here was authorized by the caller. */
export class Channels {
  readonly presence: Presence;
  readonly patterns: Patterns;
  readonly #members: Members;
  readonly #orphans = new Orphans();
  readonly #ids = new Set<number>();
  /** Reaping is the relay's own work. */
  readonly #share = new Share();
  #isReaping = false;
  readonly #fanout: Fanout;
  readonly #turn: Turn;
  readonly #meter: Meter;
  readonly #slices: Slices;

  constructor({ fanout, turn, meter, slices, maxBufferedBytes }: ChannelsPorts) {
    this.#fanout = fanout;
    this.#turn = turn;
    this.#meter = meter;
    this.#slices = slices;
    this.presence = new Presence(turn);
    this.#members = new Members(fanout, turn, meter, this.presence, (channel) => this.#deserted(channel));
    this.patterns = new Patterns(this.#members, fanout, slices, turn, meter, maxBufferedBytes);
  }

  /**
   * The live channel of that name. If need be it is brought to life, charged to `maker`, and announced to every pattern it matches; an orphan may
   * have to end for it.
   */
  open(tenant: Tenant, maker: User, name: string, segments: Pattern): Channel | Refusal {
    const live = tenant.channels.get(name);
    if (live !== undefined) return live;
    maker.channelCount++; // first, so that a user whose last orphan has to end is not forgotten meanwhile
    const full = this.#makeRoom(tenant, maker);
    if (full !== null) {
      maker.channelCount--;
      return full;
    }
    const channel = new Channel(this.#newId(), name, segments, tenant, maker);
    tenant.channels.set(name, channel);
    tenant.births.add(channel);
    this.#meter.channels++;
    this.#orphans.add(channel, this.#turn.monotonicMs);
    tenant.share.spend(this.patterns.announce(channel));
    return channel;
  }

  /** Attaches by name. The session has no attachment by name in this channel yet. */
  attach(session: Session, channel: Channel, modes: number): void {
    this.#turn.flush(channel.frames); // what came before is not counted from the new base
    const attachment = this.#members.enter(session, channel);
    const wasReceiving = isReceiving(attachment);
    attachment.modes = modes;
    attachment.own = 0;
    channel.namedCount++;
    session.attachmentCount++;
    this.#orphans.delete(channel);
    if (!wasReceiving && isReceiving(attachment)) this.#members.subscribe(session, channel);
    if ((modes & Mode.PRESENCE) === 0) return;
    this.#turn.flush(channel.notices); // nor are notices from before the newcomer's
    channel.notices.subscriberCount++;
    this.#fanout.subscribe(session.connection, channel.notices.topic);
  }

  /** Ends the attachment by name; patterns may still reach the channel. */
  detach(session: Session, attachment: Attachment): void {
    const { channel } = attachment;
    if ((attachment.modes & Mode.PRESENCE) !== 0) {
      channel.notices.subscriberCount--;
      this.#fanout.unsubscribe(session.connection, channel.notices.topic);
    }
    const wasReceiving = isReceiving(attachment);
    attachment.modes = 0;
    channel.namedCount--;
    session.attachmentCount--;
    if (wasReceiving && !isReceiving(attachment)) this.#members.unsubscribe(session, channel);
    this.presence.left(channel, session.sender);
    if (attachment.patternCount === 0) this.#members.exit(session, channel);
    else if (channel.namedCount === 0) this.#deserted(channel);
  }

  /** Attaches a pattern; the rest is for `patterns.tell`. */
  attachPattern(session: Session, text: string, pattern: Pattern): PatternAttachment {
    return this.patterns.attach(session, this.#newId(), text, pattern);
  }

  /** Detaches a pattern at once; the work leaves the channels that nothing else of the session reaches. */
  detachPattern(attached: PatternAttachment): Work {
    this.#ids.delete(attached.id);
    return this.patterns.detach(attached);
  }

  /** Forgets a connection that is gone; its native subscriptions went with it. */
  leave(session: Session): void {
    for (const id of session.patterns.keys()) this.#ids.delete(id);
    for (const attachment of session.attachments.values()) {
      const { channel } = attachment;
      if (channel.frames.except === session.connection) channel.frames.except = null; // no subscriber any more
      if (attachment.modes === 0) continue;
      channel.namedCount--;
      if ((attachment.modes & Mode.PRESENCE) !== 0) channel.notices.subscriberCount--;
      if (attachment.patternCount === 0 && isReceiving(attachment)) channel.frames.subscriberCount--;
      attachment.modes = 0;
      this.presence.left(channel, session.sender);
      if (attachment.patternCount === 0) this.#members.exit(session, channel);
    }
    this.#slices.begin(session.tenant.share, this.patterns.depart(session));
  }

  /** Ends channels that only patterns reach and that had no frame for `idleMs`. */
  reap(nowMs: number, idleMs: number): void {
    if (this.#isReaping) return;
    this.#isReaping = true;
    this.#slices.begin(this.#share, this.#reap(nowMs, idleMs), () => {
      this.#isReaping = false;
    });
  }

  *#reap(nowMs: number, idleMs: number): Work {
    for (const channel of this.#orphans.due(nowMs, idleMs)) {
      if (channel === null) yield COST.attach;
      else yield* this.#ending(channel);
    }
  }

  /** A channel that no connection is attached to by name any more. */
  #deserted(channel: Channel): void {
    if (channel.occupancy === 0) this.#forget(channel);
    else if (channel.isLive) this.#orphans.add(channel, this.#turn.monotonicMs);
  }

  /** Ends orphans for a channel that was charged to its maker already; why there is no room, if so. */
  #makeRoom(tenant: Tenant, maker: User): Refusal | null {
    const { channels, channelsPerUser } = tenant.limits;
    if (maker.channelCount > channelsPerUser && !this.#endFirst(maker, tenant.share)) return USER_FULL;
    return tenant.channels.size >= channels && !this.#endFirst(tenant, tenant.share) ? TENANT_FULL : null;
  }

  #endFirst(whose: User | Tenant, share: Share): boolean {
    const oldest = this.#orphans.first(whose);
    if (oldest === undefined) return false;
    this.#slices.begin(share, this.#ending(oldest));
    return true;
  }

  /** Nobody can reach the channel by name from now on; the connections in it are told, and taken out, over the next turns. */
  *#ending(channel: Channel): Work {
    this.#turn.flush(channel.frames);
    this.#bury(channel);
    yield COST.frame;
    yield* this.patterns.end(channel);
  }

  #bury(channel: Channel): void {
    if (!channel.isLive) return;
    channel.isLive = false;
    this.#orphans.delete(channel);
    channel.tenant.channels.delete(channel.name);
    channel.tenant.births.forgetOne();
    channel.maker.channelCount--;
    channel.tenant.release(channel.maker);
    this.#meter.channels--;
  }

  #forget(channel: Channel): void {
    this.#bury(channel);
    this.#ids.delete(channel.id);
  }

  #newId(): number {
    const id = randomId((taken) => this.#ids.has(taken));
    this.#ids.add(id);
    return id;
  }
}

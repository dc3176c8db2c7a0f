import { matches, type Pattern } from '../protocol/channel.ts';
import { encodeFrame } from '../protocol/codec.ts';
import { FrameType } from '../protocol/frames.ts';
import type { Channel } from './channel.ts';
import { CHANNELS_PER_UNIT, COST } from './costs.ts';
import type { Members } from './members.ts';
import type { Fanout, Meter } from './ports.ts';
import type { Attachment, PatternAttachment, Session } from './session.ts';
import { type Slices, WAIT, type Work } from './slices.ts';
import type { Tenant } from './tenant.ts';
import type { Turn } from './turn.ts';

/** Channels looked at, and channels told of, in one piece of work: about a millisecond. */
const PIECE_SCANNED = 2000;
const PIECE_NAMED = 100;
/** NAMED frames of one piece; room for twice as much must be left. */
const PIECE_BYTES = 16 * 1024 - 512;
/** So many connections are told of a new channel before its first frame; others over the next turns. */
const TOLD_AT_ONCE = 500;

/** Attached patterns, and the channels they reach. Everything here was authorized by the caller. */
export class Patterns {
  readonly #members: Members;
  readonly #fanout: Fanout;
  readonly #slices: Slices;
  readonly #turn: Turn;
  readonly #meter: Meter;
  readonly #maxBufferedBytes: number;

  constructor(members: Members, fanout: Fanout, slices: Slices, turn: Turn, meter: Meter, maxBufferedBytes: number) {
    this.#members = members;
    this.#fanout = fanout;
    this.#slices = slices;
    this.#turn = turn;
    this.#meter = meter;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** Attaches a pattern. Channels that live later are announced from now on; those that live already by `tell`. */
  attach(session: Session, id: number, text: string, pattern: Pattern): PatternAttachment {
    const attached: PatternAttachment = { id, text, pattern, session, upTo: 0, isAttached: true };
    session.patterns.set(id, attached);
    session.tenant.patterns.add(attached);
    session.attachmentCount++;
    this.#meter.attachments++;
    return attached;
  }

  /**
   * Sends NAMED for each live channel that the pattern has not reached yet, as fast as there is room for it. `isPaid` charges the connection,
   * which waits when it has nothing left to pay with.
   */
  *tell(attached: PatternAttachment, isPaid: boolean): Work {
    const { session } = attached;
    const { births } = session.tenant;
    for (let channel = births.from(attached.upTo); channel !== undefined; channel = births.from(attached.upTo)) {
      if (!this.#mayTell(session, isPaid)) yield WAIT;
      else {
        const units = this.#tellPiece(attached, channel);
        if (isPaid) session.frameBucket.take(Math.ceil(units / COST.reach / CHANNELS_PER_UNIT), this.#turn.monotonicMs);
        yield units;
      }
      if (!attached.isAttached) return;
    }
    attached.upTo = Number.POSITIVE_INFINITY;
  }

  /** Takes a pattern out: it reaches nothing new. The work then leaves the channels that nothing else of the session reaches. */
  detach(attached: PatternAttachment): Work {
    const { session } = attached;
    this.#forget(attached);
    return this.#leave(attached, [...session.attachments.values()]);
  }

  /** Takes out all patterns of a session that is closed, and the session out of the channels that only they reached. */
  depart(session: Session): Work {
    for (const attached of session.patterns.values()) this.#forget(attached);
    return this.#depart(session, [...session.attachments.values()]);
  }

  /** Whether a pattern of the tenant matches the name. */
  reaches(tenant: Tenant, segments: Pattern): boolean {
    return tenant.patterns.someCovering(segments, () => true);
  }

  /** Tells the connections whose patterns match of a channel that has just come to life; returns what that cost, in units. */
  announce(channel: Channel): number {
    let told = 0;
    const late: PatternAttachment[] = [];
    let named: Uint8Array | null = null;
    channel.tenant.patterns.someCovering(channel.segments, (attached) => {
      if (attached.upTo <= channel.serial) return false; // it is being told of others: this one's turn comes
      if (told >= TOLD_AT_ONCE || !this.#hasRoom(attached.session)) {
        late.push(attached);
        return false;
      }
      told++;
      named ??= namedFrame(channel);
      if (this.#members.reach(attached.session, channel)) this.#fanout.send(attached.session.connection, named);
      return false;
    });
    for (const attached of late) {
      attached.upTo = channel.serial;
      this.#slices.begin(channel.tenant.share, this.tell(attached, false));
    }
    return COST.reach * told + late.length;
  }

  /** Tells every connection whose pattern reached a channel that it is over, and takes them out. */
  *end(channel: Channel): Work {
    const ended = encodeFrame([FrameType.DETACHED, null, channel.id, 200, 'channel_ended']);
    const sessions = new Set<Session>();
    channel.tenant.patterns.someCovering(channel.segments, ({ session, upTo }) => {
      if (upTo > channel.serial) sessions.add(session);
      return false;
    });
    for (const session of sessions) {
      const attachment = session.attachments.get(channel.id);
      if (attachment === undefined || session.isClosed) continue;
      this.#members.unsubscribe(session, channel);
      this.#fanout.send(session.connection, ended);
      this.#members.exit(session, channel);
      yield COST.reach;
    }
  }

  #mayTell(session: Session, isPaid: boolean): boolean {
    return this.#hasRoom(session) && (!isPaid || session.frameBucket.tryTake(1, this.#turn.monotonicMs));
  }

  /** Whether a piece finds room, and leaves half of it for what the connection asked for. */
  #hasRoom(session: Session): boolean {
    return this.#fanout.room(session.connection) > Math.max(this.#maxBufferedBytes / 2, 2 * PIECE_BYTES);
  }

  /** Goes on from a channel; nothing can come between a channel's NAMED and its first frame, as both go through the connection in order. */
  #tellPiece(attached: PatternAttachment, first: Channel): number {
    const { session, pattern } = attached;
    const { births } = session.tenant;
    const piece: Uint8Array[] = [];
    let [scanned, reached, bytes] = [0, 0, 0];
    for (let channel: Channel | undefined = first; channel !== undefined; channel = births.from(attached.upTo)) {
      attached.upTo = channel.serial + 1;
      scanned++;
      if (matches(pattern, channel.segments)) {
        reached++;
        if (this.#members.reach(session, channel)) {
          const named = namedFrame(channel);
          piece.push(named);
          bytes += named.length;
        }
      }
      if (scanned >= PIECE_SCANNED || reached >= PIECE_NAMED || bytes >= PIECE_BYTES / 2) break;
    }
    if (piece.length > 0) this.#fanout.send(session.connection, Buffer.concat(piece));
    return Math.ceil(scanned / CHANNELS_PER_UNIT / 4) + reached * COST.reach;
  }

  *#leave(attached: PatternAttachment, attachments: readonly Attachment[]): Work {
    const { session, pattern, upTo } = attached;
    for (const [i, attachment] of attachments.entries()) {
      if (i % PIECE_NAMED === PIECE_NAMED - 1) yield PIECE_NAMED;
      const { channel } = attachment;
      if (channel.serial >= upTo || attachment.patternCount === 0 || !matches(pattern, channel.segments)) continue;
      if (session.isClosed || session.attachments.get(channel.id) !== attachment) continue;
      this.#members.unreach(session, attachment);
    }
  }

  *#depart(session: Session, attachments: readonly Attachment[]): Work {
    for (const [i, attachment] of attachments.entries()) {
      if (i % PIECE_NAMED === PIECE_NAMED - 1) yield PIECE_NAMED / 4;
      if (session.attachments.get(attachment.channel.id) !== attachment) continue;
      if (attachment.patternCount > 0) attachment.channel.frames.subscriberCount--;
      this.#members.exit(session, attachment.channel);
    }
  }

  #forget(attached: PatternAttachment): void {
    const { session } = attached;
    attached.isAttached = false;
    session.patterns.delete(attached.id);
    session.tenant.patterns.delete(attached);
    session.attachmentCount--;
    this.#meter.attachments--;
  }
}

function namedFrame(channel: Channel): Uint8Array {
  return encodeFrame([FrameType.NAMED, channel.id, channel.name, channel.seq]);
}

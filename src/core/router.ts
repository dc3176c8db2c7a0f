import type { Pattern } from '../protocol/channel.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { Mode } from '../protocol/frames.ts';
import { encodeMessage, messageChannelId, stampMessage } from '../protocol/message.ts';
import type { Channel } from './channel.ts';
import type { Channels } from './channels.ts';
import { COST } from './costs.ts';
import type { Connection, Meter } from './ports.ts';
import { isReceiving, type Session } from './session.ts';
import type { Tenant } from './tenant.ts';
import type { Turn } from './turn.ts';

const NOT_ATTACHED = refusal('not_attached', 'this connection is not attached to that channel');
const NOT_PUBLISHING = refusal('forbidden', 'attached without publish');
const TENANT_TOO_FAST = refusal('tenant_too_fast', 'over the frames or deliveries per second of the tenant');

/** What an HTTP request publishes; both opaque. */
export interface OutgoingMessage {
  readonly envelope: Uint8Array | null;
  readonly body: Uint8Array;
}

/** Whose request publishes. */
export interface Publisher {
  readonly tenant: Tenant;
  readonly sub: string;
}

/** The number a frame got and how many connections it was handed to; both 0 when the channel is not alive. */
export interface Published {
  readonly seq: number;
  readonly subscribers: number;
}

/** Numbers a frame and hands it to the fan-out. The message path: no allocation but views, no decoding, no copy of a lone frame. */
export class Router {
  readonly #channels: Channels;
  readonly #turn: Turn;
  readonly #meter: Meter;

  constructor(channels: Channels, turn: Turn, meter: Meter) {
    this.#channels = channels;
    this.#turn = turn;
    this.#meter = meter;
  }

  /** Takes the well-formed MESSAGE in `bytes[start, end)`, stamping it in place; null when it was accepted. */
  accept(session: Session, bytes: Uint8Array, start: number, end: number): Refusal | null {
    const attachment = session.attachments.get(messageChannelId(bytes, start));
    if (attachment === undefined) return NOT_ATTACHED;
    if ((attachment.modes & Mode.PUBLISH) === 0) return attachment.modes === 0 ? NOT_ATTACHED : NOT_PUBLISHING;
    if (!this.#pay(session.tenant)) return TENANT_TOO_FAST;
    attachment.own++;
    const isLeftOut = (attachment.modes & Mode.ECHO) === 0 && isReceiving(attachment);
    this.#publish(attachment.channel, bytes, start, end, session.sender, isLeftOut ? session.connection : null);
    return null;
  }

  /**
   * Publishes for an HTTP request. A channel that is not alive is brought to life only if a pattern reaches it; else seq and
   * subscribers are 0. The turn must be open.
   */
  publish(by: Publisher, name: string, segments: Pattern, message: OutgoingMessage): Published | Refusal {
    const { tenant } = by;
    tenant.share.spend(COST.request);
    if (!this.#pay(tenant)) return TENANT_TOO_FAST;
    this.#meter.framesIn++;
    this.#meter.bytesIn += message.body.length;
    const channel = tenant.channels.get(name) ?? this.#openForPatterns(by, name, segments);
    if (channel === undefined) return { seq: 0, subscribers: 0 };
    if ('status' in channel) return channel;
    const bytes = encodeMessage(channel.id, message.envelope, message.body);
    this.#publish(channel, bytes, 0, bytes.length, 0, null);
    bytes.fill(0);
    return { seq: channel.seq, subscribers: channel.frames.subscriberCount };
  }

  /** Whether the tenant may publish a frame more, which it then has paid for. */
  #pay({ share, frameBucket }: Tenant): boolean {
    const nowMs = this.#turn.monotonicMs;
    return share.mayDeliver(nowMs) && frameBucket.tryTake(1, nowMs);
  }

  #publish(
    channel: Channel,
    bytes: Uint8Array,
    start: number,
    end: number,
    sender: number,
    except: Connection | null,
  ): void {
    channel.seq++;
    stampMessage(bytes, start, channel.seq, sender);
    this.#meter.deliveries += channel.frames.subscriberCount;
    this.#meter.deliveredBytes += channel.frames.subscriberCount * (end - start);
    this.#turn.publish(channel.frames, bytes, start, end, except);
  }

  #openForPatterns({ tenant, sub }: Publisher, name: string, segments: Pattern): Channel | Refusal | undefined {
    if (!this.#channels.patterns.reaches(tenant, segments)) return undefined;
    const user = tenant.user(sub);
    const channel = this.#channels.open(tenant, user, name, segments);
    tenant.release(user);
    return channel;
  }
}

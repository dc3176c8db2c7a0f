import { isChannelName } from '../protocol/channel.ts';
import type { FrameType, RelayFrame } from '../protocol/frames.ts';
import { type Loss, LossCount } from './loss.ts';

/** A MESSAGE as it came. */
export type MessageFrame = Extract<RelayFrame, { 0: typeof FrameType.MESSAGE }>;

/** Somebody who hears channels: one by its name, or all that a pattern matches. */
export interface Listener {
  readonly isPattern: boolean;
  /** How many frames it may have published since it was attached: numbers that did not come may be those. */
  readonly sentCount: number;
  /** Whether a channel of this name is heard. */
  covers(name: string): boolean;
  /** Takes a MESSAGE that was not received before. */
  take(name: string, frame: MessageFrame, isOwn: boolean): void;
  /** Takes note of what may explain that frames of a channel did not come; null where nobody knows how many. */
  excuse(name: string, count: number | null): void;
  /** Takes note of messages that will not come. */
  lose(loss: Loss): void;
  /** Takes note of a HEAD: notices may be lost as well. */
  headed(): void;
}

interface Feed {
  readonly name: string;
  readonly channelId: number;
  readonly loss: LossCount;
  readonly listeners: Set<Listener>;
  /** How many frames those may have published who left. */
  formerCount: number;
}

/** What somebody knew of a channel when its frames stopped coming. */
interface Known {
  readonly channelId: number;
  readonly lastSeq: number;
  /** Numbers before that of which no HEAD has spoken. */
  readonly passedOver: number;
}

/** Why somebody does not hear anything at the moment, and what was known of each channel until then. */
interface Away {
  readonly cause: 'reconnect' | 'detached';
  readonly channels: Map<string, Known>;
}

/** Most channels that a connection hears through patterns, whatever the relay names: as many as a tenant has by default. */
const MAX_CHANNELS = 100_000;

/**
 * The live channels that a connection hears, by name, through patterns, or both: docs/PROTOCOL.md, section 6. One count each, as the relay
 * sends one copy. Who is not attached for a while, or has lost the connection, is told what was missed when attached again.
 */
export class Feeds {
  readonly #maxChannels: number;
  readonly #live = new Map<number, Feed>();
  /** Who is attached. */
  readonly #listeners = new Set<Listener>();
  /** Who was attached, and has not met all of its channels again. */
  readonly #away = new Map<Listener, Away>();

  constructor(maxChannels = MAX_CHANNELS) {
    this.#maxChannels = maxChannels;
  }

  /** Takes somebody in who is attached now, and also hears the channels that are heard already. */
  join(listener: Listener): void {
    this.#listeners.add(listener);
    for (const feed of this.#live.values()) {
      if (!listener.covers(feed.name)) continue;
      feed.listeners.add(listener);
      this.#tellMissed(listener, feed);
    }
  }

  /** Forgets somebody who left, and the channels that nobody else hears. */
  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    this.#away.delete(listener);
    for (const [id, feed] of this.#live) {
      if (!feed.listeners.delete(listener)) continue;
      feed.formerCount += listener.sentCount;
      if (feed.listeners.size === 0) this.#live.delete(id);
    }
  }

  /** The relay ended an attachment: what is missed until the next is told then. */
  detached(listener: Listener): void {
    const away = this.#awayOf(listener, 'detached');
    for (const feed of this.#live.values()) if (feed.listeners.has(listener)) this.#remember(feed, listener, away);
    this.leave(listener);
    this.#away.set(listener, away);
  }

  /** Takes a NAMED; false when there are too many. A name that is none is nobody's. */
  named(channelId: number, name: string, seq: number): boolean {
    if (this.#live.size >= this.#maxChannels && !this.#live.has(channelId))
      return ![...this.#listeners].some((listener) => listener.covers(name));
    if (isChannelName(name)) this.open(channelId, name, seq);
    return true;
  }

  /** Takes an ATTACHED or NAMED; tells what was missed until now. Throws a TypeError where the id is that of another channel. */
  open(channelId: number, name: string, seq: number): void {
    const live = this.#live.get(channelId);
    if (live !== undefined) {
      if (live.name !== name) throw new TypeError('an id of two channels');
      const { passedOver, lastSeq } = live.loss;
      for (const listener of live.listeners) listener.excuse(name, passedOver + Math.max(0, seq - lastSeq));
      live.loss.rebase(seq);
      return;
    }
    const listeners = new Set([...this.#listeners].filter((listener) => listener.covers(name)));
    if (listeners.size === 0) return;
    const feed = { name, channelId, loss: new LossCount(seq), listeners, formerCount: 0 };
    this.#live.set(channelId, feed);
    for (const listener of listeners) this.#tellMissed(listener, feed);
  }

  /** Takes note that a channel has ended. */
  close(channelId: number): void {
    this.#live.delete(channelId);
  }

  /** Takes a MESSAGE. */
  message(frame: MessageFrame, ownSender: number): void {
    const feed = this.#live.get(frame[1]);
    const isOwn = frame[3] === ownSender;
    if (feed === undefined || !feed.loss.received(frame[2], isOwn)) return;
    for (const listener of feed.listeners) listener.take(feed.name, frame, isOwn);
  }

  /** Takes a HEAD. */
  head(channelId: number, seq: number, own: number): void {
    const feed = this.#live.get(channelId);
    if (feed === undefined) return;
    const { firstSeq, count } = feed.loss.head(seq, own);
    for (const listener of feed.listeners) {
      listener.excuse(feed.name, count);
      if (count > 0) listener.lose({ channel: feed.name, count, cause: 'slow_reader', firstSeq, lastSeq: seq });
      listener.headed();
    }
  }

  /** Takes note that the connection is gone. */
  disconnected(): void {
    for (const listener of this.#listeners) this.#away.set(listener, this.#awayOf(listener, 'reconnect'));
    for (const feed of this.#live.values()) {
      for (const listener of feed.listeners) this.#remember(feed, listener, this.#awayOf(listener, 'reconnect'));
    }
    this.#live.clear();
    this.#listeners.clear();
  }

  /** Whether somebody is attached again who may still meet channels of before. */
  get isSettling(): boolean {
    return [...this.#away.keys()].some((listener) => this.#listeners.has(listener));
  }

  /** All that are attached have met what lives: what they heard before and did not meet has ended, and nobody knows what it held. */
  settled(): void {
    for (const [listener, { cause, channels }] of this.#away) {
      if (!this.#listeners.has(listener)) continue;
      this.#away.delete(listener);
      for (const name of channels.keys()) {
        listener.excuse(name, null);
        listener.lose(unknown(name, cause));
      }
    }
  }

  /** What somebody knew who goes away: what was still to be met again is among it. */
  #awayOf(listener: Listener, cause: Away['cause']): Away {
    return this.#away.get(listener) ?? { cause, channels: new Map<string, Known>() };
  }

  /**
   * Remembers what somebody knows of a channel, to be compared later; of too many, the oldest is told to be unknown. Holes that no HEAD will
   * explain any more are told, as far as they cannot be own frames.
   */
  #remember(
    { name, channelId, loss, listeners, formerCount }: Feed,
    listener: Listener,
    { cause, channels }: Away,
  ): void {
    const { lastSeq, passedOver } = loss;
    let ownCount = formerCount;
    for (const { sentCount } of listeners) ownCount += sentCount;
    const { firstSeq, count } = loss.lostAt(lastSeq, ownCount);
    if (count > 0) listener.lose({ channel: name, count, cause: 'slow_reader', firstSeq, lastSeq });
    channels.set(name, { channelId, lastSeq, passedOver });
    if (channels.size <= this.#maxChannels) return;
    for (const oldest of channels.keys()) {
      channels.delete(oldest);
      listener.excuse(oldest, null);
      listener.lose(unknown(oldest, cause));
      return;
    }
  }

  /** Tells somebody who was away what was missed of a channel that is heard again, or for the first time. */
  #tellMissed(listener: Listener, { name, channelId, loss: { lastSeq } }: Feed): void {
    const away = this.#away.get(listener);
    if (away === undefined) return;
    const { cause, channels } = away;
    const known = channels.get(name);
    channels.delete(name);
    if (!listener.isPattern) this.#away.delete(listener);
    const count = lastSeq - (known?.lastSeq ?? 0);
    listener.excuse(name, known?.channelId === channelId ? count + known.passedOver : null);
    if (known !== undefined && known.channelId !== channelId) listener.lose(unknown(name, cause));
    else if (count > 0)
      listener.lose(
        known === undefined
          ? unknown(name, cause)
          : { channel: name, count, cause, firstSeq: known.lastSeq + 1, lastSeq },
      );
  }
}

/** Nobody knows how many of a channel were missed. */
function unknown(channel: string, cause: Away['cause']): Loss {
  return { channel, count: null, cause, firstSeq: null, lastSeq: null };
}

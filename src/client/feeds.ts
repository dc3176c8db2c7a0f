import type { FrameType, RelayFrame } from '../protocol/frames.ts';
import { LossCount } from './loss.ts';

/** Why messages will not come: the connection was away, it read too slowly, or the app did. */
export type LossCause = 'slow_reader' | 'reconnect' | 'slow_app';

/** Messages that will not come. */
export interface Loss {
  /** The name of their channel. */
  readonly channel: string;
  /** How many; null when nobody can know. */
  readonly count: number | null;
  readonly cause: LossCause;
  /** They are among the numbers from `firstSeq` to `lastSeq`: all of those that did not come and were not own. Null with `count`. */
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
}

/** A MESSAGE as it came. */
export type MessageFrame = Extract<RelayFrame, { 0: typeof FrameType.MESSAGE }>;

/** Somebody who hears channels: one by its name, or all that a pattern matches. */
export interface Listener {
  /** Whether a channel of this name is heard. */
  covers(name: string): boolean;
  /** Takes a MESSAGE that was not received before. */
  take(name: string, frame: MessageFrame, isOwn: boolean): void;
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
}

/**
 * The live channels that a connection hears, by name, through patterns, or both: docs/PROTOCOL.md, section 6. One count each, as the relay
 * sends one copy; remembered over a reconnect, until it is clear what was missed.
 */
export class Feeds {
  readonly #live = new Map<number, Feed>();
  readonly #before = new Map<string, Feed>();
  readonly #listeners = new Set<Listener>();
  /** Who was attached when the connection went, and may have missed something. */
  readonly #away = new Set<Listener>();

  /** Takes somebody in who is attached now, and also hears the channels that are heard already. */
  join(listener: Listener): void {
    this.#listeners.add(listener);
    for (const feed of this.#live.values()) {
      if (!listener.covers(feed.name)) continue;
      feed.listeners.add(listener);
      this.#tellMissed(feed);
    }
  }

  /** Forgets somebody who is not attached any more, and the channels that nobody else hears. */
  leave(listener: Listener): void {
    this.#listeners.delete(listener);
    this.#away.delete(listener);
    for (const feeds of [this.#live, this.#before] as Map<unknown, Feed>[]) {
      for (const [key, feed] of feeds) {
        if (feed.listeners.delete(listener) && feed.listeners.size === 0) feeds.delete(key);
      }
    }
  }

  /** Takes an ATTACHED or NAMED; tells what was missed while the connection was away. */
  open(channelId: number, name: string, seq: number): void {
    const live = this.#live.get(channelId);
    if (live !== undefined) {
      live.loss.rebase(seq);
      return;
    }
    const listeners = new Set([...this.#listeners].filter((listener) => listener.covers(name)));
    if (listeners.size === 0) return;
    const feed = { name, channelId, loss: new LossCount(seq), listeners };
    this.#live.set(channelId, feed);
    if (this.#before.has(name)) this.#tellMissed(feed);
    else if (seq > 0) for (const listener of listeners) if (this.#away.has(listener)) listener.lose(unknown(name));
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
      if (count > 0) listener.lose({ channel: feed.name, count, cause: 'slow_reader', firstSeq, lastSeq: seq });
      listener.headed();
    }
  }

  /** Takes note that the connection is gone. */
  disconnected(): void {
    for (const feed of this.#live.values()) this.#before.set(feed.name, feed);
    for (const listener of this.#listeners) this.#away.add(listener);
    this.#live.clear();
    this.#listeners.clear();
  }

  /** Everybody is attached again: what was heard before and was not met again has ended, and nobody knows what it held. */
  settled(): void {
    for (const { name, listeners } of this.#before.values()) {
      for (const listener of listeners) listener.lose(unknown(name));
    }
    this.#before.clear();
    this.#away.clear();
  }

  /** Tells those who heard a channel before the reconnect, and do again, what was missed until now: each when its own turn has come. */
  #tellMissed({ name, channelId, loss: { lastSeq }, listeners }: Feed): void {
    const before = this.#before.get(name);
    if (before === undefined) return;
    const count = lastSeq - before.loss.lastSeq;
    const isSame = before.channelId === channelId;
    for (const listener of before.listeners) {
      if (!listeners.has(listener)) continue;
      before.listeners.delete(listener);
      if (!isSame) listener.lose(unknown(name));
      else if (count > 0) listener.lose(known(name, count, lastSeq));
    }
    if (before.listeners.size === 0) this.#before.delete(name);
  }
}

/** The `count` numbers up to `lastSeq`, missed while the connection was away. */
function known(channel: string, count: number, lastSeq: number): Loss {
  return { channel, count, cause: 'reconnect', firstSeq: lastSeq - count + 1, lastSeq };
}

function unknown(channel: string): Loss {
  return { channel, count: null, cause: 'reconnect', firstSeq: null, lastSeq: null };
}

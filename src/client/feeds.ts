import type { FrameType, RelayFrame } from '../protocol/frames.ts';
import { type Loss, LossCount } from './loss.ts';

/** A MESSAGE as it came. */
export type MessageFrame = Extract<RelayFrame, { 0: typeof FrameType.MESSAGE }>;

/** Somebody who hears channels: one by its name, or all that a pattern matches. */
export interface Listener {
  readonly isPattern: boolean;
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

/** What somebody knew of a channel when its frames stopped coming. */
interface Known {
  readonly channelId: number;
  readonly lastSeq: number;
}

/** Why somebody does not hear anything at the moment, and what was known of each channel until then. */
interface Away {
  readonly cause: 'reconnect' | 'detached';
  readonly channels: Map<string, Known>;
}

/**
 * The live channels that a connection hears, by name, through patterns, or both: docs/PROTOCOL.md, section 6. One count each, as the relay
 * sends one copy. Who is not attached for a while, or has lost the connection, is told what was missed when attached again.
 */
export class Feeds {
  readonly #live = new Map<number, Feed>();
  /** Who is attached. */
  readonly #listeners = new Set<Listener>();
  /** Who was attached, and has not met all of its channels again. */
  readonly #away = new Map<Listener, Away>();

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
    for (const [id, { listeners }] of this.#live) {
      if (listeners.delete(listener) && listeners.size === 0) this.#live.delete(id);
    }
  }

  /** The relay ended an attachment: what is missed until the next is told then. */
  detached(listener: Listener): void {
    const away = this.#leaveFor('detached', listener);
    this.leave(listener);
    this.#away.set(listener, away);
  }

  /** Takes an ATTACHED or NAMED; tells what was missed until now. */
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
      if (count > 0) listener.lose({ channel: feed.name, count, cause: 'slow_reader', firstSeq, lastSeq: seq });
      listener.headed();
    }
  }

  /** Takes note that the connection is gone. */
  disconnected(): void {
    for (const listener of this.#listeners) this.#away.set(listener, this.#leaveFor('reconnect', listener));
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
      for (const name of channels.keys()) listener.lose(unknown(name, cause));
    }
  }

  /** What a listener knows, to be compared later; what it was still to meet again is among it. */
  #leaveFor(cause: Away['cause'], listener: Listener): Away {
    const away = this.#away.get(listener) ?? { cause, channels: new Map<string, Known>() };
    for (const { name, channelId, loss, listeners } of this.#live.values()) {
      if (listeners.has(listener)) away.channels.set(name, { channelId, lastSeq: loss.lastSeq });
    }
    return away;
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

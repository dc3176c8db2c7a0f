import type { Message } from './message.ts';

/** Why messages will not come: the connection was away, or the channel was not attached; the connection read too slowly, or the app did; or the relay kept them back. */
export type LossCause = 'slow_reader' | 'reconnect' | 'detached' | 'slow_app' | 'withheld';

/** Messages that will not come. */
export interface Loss {
  /** The name of their channel. */
  readonly channel: string;
  /** How many; null when nobody can know. */
  readonly count: number | null;
  readonly cause: LossCause;
  /** They are among the numbers from `firstSeq` to `lastSeq`: all of those that did not come and were not own. Null with `count`, and for what was withheld. */
  readonly firstSeq: number | null;
  readonly lastSeq: number | null;
  /** Whose they were, where they were withheld. */
  readonly sender?: number;
  /** The one loop that missed them, where others may not have: what `channel[Symbol.asyncIterator]()` gave. */
  readonly loop?: AsyncIterator<Message>;
}

/** One message that there was no room for. */
export function oneLost(channel: string, seq: number): Loss {
  return { channel, count: 1, cause: 'slow_app', firstSeq: seq, lastSeq: seq };
}

/** Channels whose losses are kept apart until they are told. */
const MAX_CHANNELS = 1024;

/** Losses for want of room, until they can be told: what one channel lost in a row as one. */
export class Losses {
  readonly #tell: (loss: Loss) => void;
  readonly #byChannel = new Map<string, Loss>();

  constructor(tell: (loss: Loss) => void) {
    this.#tell = tell;
  }

  add(loss: Loss): void {
    const { channel } = loss;
    let before = this.#byChannel.get(channel);
    if (before !== undefined && isOfAnother(before, loss)) {
      this.#tell(before);
      before = undefined;
    }
    this.#byChannel.set(channel, joined(before, loss));
    if (this.#byChannel.size <= MAX_CHANNELS) return;
    for (const [name, oldest] of this.#byChannel) {
      this.#byChannel.delete(name);
      this.#tell(oldest);
      return;
    }
  }

  /** Tells all of them. */
  tell(): void {
    if (this.#byChannel.size === 0) return;
    const losses = [...this.#byChannel.values()];
    this.#byChannel.clear();
    for (const loss of losses) this.#tell(loss);
  }
}

/** Whether a later loss is of another channel of the name, which counts anew. */
function isOfAnother(before: Loss, { lastSeq }: Loss): boolean {
  return before.lastSeq !== null && lastSeq !== null && lastSeq <= before.lastSeq;
}

function joined(before: Loss | undefined, next: Loss): Loss {
  const { channel, count, firstSeq } = before ?? { ...next, count: 0 };
  if (count === null || next.count === null)
    return { channel, count: null, cause: 'slow_app', firstSeq: null, lastSeq: null };
  return { channel, count: count + next.count, cause: 'slow_app', firstSeq, lastSeq: next.lastSeq };
}

/** Counts what was lost of one channel on one connection, by the numbers: docs/PROTOCOL.md, section 8. Frames of others only. */
export class LossCount {
  #base: number;
  #lastSeq: number;
  #others = 0;
  #lost = 0;
  /** The number of the latest HEAD, or the base: losses are told up to here. */
  #toldSeq: number;

  /** `seq` is the number of ATTACHED or NAMED. */
  constructor(seq: number) {
    this.#base = seq;
    this.#lastSeq = seq;
    this.#toldSeq = seq;
  }

  /** The latest number known. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** How many numbers were passed over of which no HEAD has spoken: own ones, and lost ones. */
  get passedOver(): number {
    return this.lostAt(this.#lastSeq, 0).count;
  }

  /** Takes a later ATTACHED or NAMED of the same channel and connection: what was lost before it has been told. */
  rebase(seq: number): void {
    this.#base = seq;
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    this.#others = 0;
    this.#lost = 0;
    this.#toldSeq = seq;
  }

  /** Takes a MESSAGE; false for one that was received before. */
  received(seq: number, isOwn: boolean): boolean {
    if (seq <= this.#lastSeq) return false;
    this.#lastSeq = seq;
    if (!isOwn) this.#others++;
    return true;
  }

  /** How many more are lost at a number than were told, where so many were own, and the first number among which they are. */
  lostAt(seq: number, own: number): { readonly firstSeq: number; readonly count: number } {
    return { firstSeq: this.#toldSeq + 1, count: seq - this.#base - this.#others - own - this.#lost };
  }

  /** Takes a HEAD; returns what is lost by it. One that cannot be true, because its numbers fall, changes nothing. */
  head(seq: number, own: number): { readonly firstSeq: number; readonly count: number } {
    const { firstSeq, count } = this.lostAt(seq, own);
    if (seq < this.#toldSeq || count < 0) return { firstSeq, count: 0 };
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    this.#toldSeq = seq;
    this.#lost += count;
    return { firstSeq, count };
  }
}

import type { Channel } from './channel.ts';

/** A channel that only patterns keep alive, and since when it had no frame. */
interface Orphan {
  seq: number;
  sinceMs: number;
}

const LOOKS = 1000;

/** The channels that no connection is attached to by name. They are charged to the user who brought them to life, and end after a while. */
export class Orphans {
  readonly #seen = new Map<Channel, Orphan>();

  /** Begins a channel's time, unless it has begun. */
  add(channel: Channel, nowMs: number): void {
    if (this.#seen.has(channel)) return;
    this.#seen.set(channel, { seq: channel.seq, sinceMs: nowMs });
    channel.tenant.orphans.add(channel);
    channel.maker.orphans.add(channel);
  }

  delete(channel: Channel): void {
    if (!this.#seen.delete(channel)) return;
    channel.tenant.orphans.delete(channel);
    channel.maker.orphans.delete(channel);
  }

  /** The orphans that had no frame for `idleMs`; null now and then, after a while of looking. May be walked while they change. */
  *due(nowMs: number, idleMs: number): Generator<Channel | null> {
    let looks = 0;
    for (const [channel, seen] of this.#seen) {
      if (++looks % LOOKS === 0) yield null;
      if (channel.seq !== seen.seq) {
        seen.seq = channel.seq;
        seen.sinceMs = nowMs;
      } else if (nowMs - seen.sinceMs >= idleMs) {
        yield channel;
      }
    }
  }

  /** The orphan of a user or tenant that was left behind first: it ends when another channel needs its place. */
  first({ orphans }: { readonly orphans: ReadonlySet<Channel> }): Channel | undefined {
    const [oldest] = orphans;
    return oldest;
  }
}

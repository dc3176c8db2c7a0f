import { encodeFrame } from '../protocol/codec.ts';
import { FrameType } from '../protocol/frames.ts';
import type { Channel } from './channel.ts';
import type { Turn } from './turn.ts';

/** LEFT and OCCUPANCY notices. Occupancy is coalesced: `announce` is called at most ten times a second. */
export class Presence {
  readonly #changed = new Set<Channel>();
  readonly #turn: Turn;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Notes that a channel's occupancy is another. */
  changed(channel: Channel): void {
    if (channel.notices.subscriberCount > 0) this.#changed.add(channel);
  }

  /** Tells a channel that a connection attached by name is gone, after that connection's frames. */
  left(channel: Channel, sender: number): void {
    if (channel.notices.subscriberCount === 0) return;
    this.#turn.notify(channel.notices, encodeFrame([FrameType.LEFT, channel.id, sender]), channel.frames);
  }

  /** Tells the occupancy of every channel where it changed since the last call. */
  announce(): void {
    if (this.#changed.size === 0) return;
    this.#turn.open();
    for (const channel of this.#changed) {
      this.#turn.notify(channel.notices, occupancyFrame(channel), channel.frames);
    }
    this.#changed.clear();
  }
}

/** Encodes OCCUPANCY for a channel. */
export function occupancyFrame(channel: Channel): Uint8Array {
  return encodeFrame([FrameType.OCCUPANCY, channel.id, channel.occupancy]);
}

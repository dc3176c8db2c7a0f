import type { Channel } from './channel.ts';

/** The live channels of a tenant in the order in which they came to life: a walk over them can stop, and go on from where it was. */
export class Births {
  #channels: Channel[] = [];
  #goneCount = 0;
  #last = 0;

  /** The serial of the next channel. */
  get nextSerial(): number {
    return this.#last + 1;
  }

  /** Takes the channel born last; its serial is `nextSerial`. */
  add(channel: Channel): void {
    this.#last = channel.serial;
    this.#channels.push(channel);
  }

  /** Leaves out a channel that was marked as ended. */
  forgetOne(): void {
    this.#goneCount++;
    if (this.#goneCount < 64 || this.#goneCount * 2 < this.#channels.length) return;
    this.#channels = this.#channels.filter(({ isLive }) => isLive);
    this.#goneCount = 0;
  }

  /** The first live channel whose serial is at least this. */
  from(serial: number): Channel | undefined {
    let low = 0;
    let high = this.#channels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#channels[middle] as Channel).serial < serial)
        low = middle + 1; // middle < length
      else high = middle;
    }
    while (low < this.#channels.length && this.#channels[low]?.isLive === false) low++;
    return this.#channels[low];
  }
}

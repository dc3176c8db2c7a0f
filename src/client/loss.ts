/** Counts what one channel lost, by the numbers: docs/PROTOCOL.md, section 8. Frames of others only. */
export class LossCount {
  #channelId = 0;
  #base = 0;
  #others = 0;
  #lost = 0;
  #lastSeq = 0;

  /**
   * Takes an ATTACHED. Returns how many frames, own ones included, were missed since the last number known; null when nobody can know,
   * because the channel is another; 0 the first time.
   */
  attached(channelId: number, seq: number): number | null {
    const isFirst = this.#channelId === 0;
    const missed = channelId === this.#channelId ? Math.max(0, seq - this.#lastSeq) : null;
    this.#channelId = channelId;
    this.#base = seq;
    this.#lastSeq = seq;
    this.#others = 0;
    this.#lost = 0;
    return isFirst ? 0 : missed;
  }

  /** Takes a MESSAGE; false for one that was received before. */
  received(seq: number, isOwn: boolean): boolean {
    if (seq <= this.#lastSeq) return false;
    this.#lastSeq = seq;
    if (!isOwn) this.#others++;
    return true;
  }

  /** Takes a HEAD; returns how many more frames are lost than were known. */
  head(seq: number, own: number): number {
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    const lost = seq - this.#base - this.#others - own;
    const more = lost - this.#lost;
    this.#lost = lost;
    return more;
  }
}

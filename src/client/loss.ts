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

  /**
   * Takes a HEAD; returns how many more frames are lost than were known, and the first number among which they are. One that cannot be
   * true, because its numbers fall, changes nothing.
   */
  head(seq: number, own: number): { readonly firstSeq: number; readonly count: number } {
    const firstSeq = this.#toldSeq + 1;
    const lost = seq - this.#base - this.#others - own;
    const count = lost - this.#lost;
    if (seq < this.#toldSeq || count < 0) return { firstSeq, count: 0 };
    this.#lastSeq = Math.max(this.#lastSeq, seq);
    this.#toldSeq = seq;
    this.#lost = lost;
    return { firstSeq, count };
  }
}

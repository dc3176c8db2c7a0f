import type { Place } from './members.ts';

/** What was sealed under one KID. */
interface Sealed {
  /** Counters used up, and those for which something was said already. */
  upTo: number;
  toldUpTo: number;
  /** How many frames did not reach the channel, as far as that is known, and the counters of those that never left since. */
  refusedCount: number;
  unsent: number[];
}

/** A KID, and how many of its frames below a counter did not reach the channel. */
export type Statement = readonly [kid: bigint, upTo: number, refusedCount: number];

/** KIDs of a connection that are kept account of: the latest, where keys are rotated. */
const MAX_KIDS = 16;

/** What a sender knows of its own frames on a channel and connection: the counters used up, and how many of those the relay never took. */
export class Account {
  readonly #sealed = new Map<bigint, Sealed>();

  /** Another connection: the KIDs of before are over. */
  begin(): void {
    this.#sealed.clear();
  }

  /** A counter of a KID was used up. */
  seals({ kid, ctr }: Place): void {
    const sealed = this.#sealed.get(kid) ?? { upTo: 0, toldUpTo: 0, refusedCount: 0, unsent: [] };
    this.#sealed.set(kid, sealed);
    const [oldest = kid] = this.#sealed.keys();
    if (this.#sealed.size > MAX_KIDS) this.#sealed.delete(oldest);
    sealed.upTo = ctr + 1;
  }

  /** A sealed frame never left. */
  unsent({ kid, ctr }: Place): void {
    this.#sealed.get(kid)?.unsent.push(ctr);
  }

  /** The relay refused a frame; it does not say which, so it may be of any KID. */
  refused(): void {
    for (const sealed of this.#sealed.values()) sealed.refusedCount++;
  }

  /** The KIDs, in decimal. */
  get kids(): readonly string[] {
    return [...this.#sealed.keys()].map(String);
  }

  /** Frames of which nothing was said yet. */
  get untoldCount(): number {
    let count = 0;
    for (const { upTo, toldUpTo } of this.#sealed.values()) count += upTo - toldUpTo;
    return count;
  }

  /** Whether a KID is over of whose frames something is still to be said. */
  get isTurned(): boolean {
    return [...this.#sealed.values()].slice(0, -1).some(({ upTo, toldUpTo }) => upTo > toldUpTo);
  }

  /** Takes note of where each KID is now. What that returns says, once the relay has taken or refused all until then, what became of it. */
  mark(): () => Statement[] {
    const marks = [...this.#sealed].map(([kid, sealed]) => ({ kid, sealed, upTo: sealed.upTo }));
    return () =>
      marks.map(({ kid, sealed, upTo }) => {
        sealed.refusedCount += sealed.unsent.filter((ctr) => ctr < upTo).length;
        sealed.unsent = sealed.unsent.filter((ctr) => ctr >= upTo);
        sealed.toldUpTo = Math.max(sealed.toldUpTo, upTo);
        return [kid, upTo, sealed.refusedCount];
      });
  }
}

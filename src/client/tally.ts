import type { ReplayWindow } from './crypto/replay-window.ts';
import { Lru } from './lru.ts';

/** What explains the holes in the counters of a KID. */
interface Run {
  readonly window: ReplayWindow;
  /** Holes that came of a loss, of what was refused here, or of what was told already, and those from before anybody could know. */
  explainedCount: number;
  /** By the sender's word, frames that the relay refused or that never left. */
  senderCount: number;
  /** How often the sender was asked since everything was explained. */
  askedCount: number;
}

/** A sender that does not answer is asked so often, and then no more. */
const MAX_ASKED = 4;
/** KIDs whose counters are looked at: docs/ENCRYPTION.md, section 6. */
const MAX_RUNS = 1024;

/**
 * Holds the counters of a channel, contiguous where they were sealed, against what explains that some did not come. A loss that is nobody's
 * in particular explains a hole of every sender: one may hide behind another's, but nothing is taken for a hole that is none.
 */
export class Tally {
  readonly #runs = new Lru<Run>(MAX_RUNS);

  /** So many frames of anybody were lost, before this point. Null: nobody knows how many, and all counting begins anew. */
  lost(count: number | null): void {
    if (count === null) this.#runs.clear();
    else for (const run of this.#runs.values()) run.explainedCount += count;
  }

  /** A frame that claims to be of a KID came, and was refused or found no room: it is told as that. */
  refused(id: string): void {
    const run = this.#runs.peek(id);
    if (run !== undefined) run.explainedCount++;
  }

  /** A frame was opened. Returns whether its sender is to be asked about some before it that did not come, unexplained. */
  opened(id: string, window: ReplayWindow): boolean {
    const missingCount = window.missingBelow(window.next);
    const known = this.#runs.peek(id);
    // A window that was forgotten, and made anew, knows nothing of what the one before saw.
    const isKnown = known?.window === window;
    const run = isKnown ? known : { window, explainedCount: missingCount, senderCount: 0, askedCount: 0 };
    this.#runs.set(id, run);
    // What was lost before this frame and is no hole of this KID was another's: it explains nothing that comes later.
    run.explainedCount = Math.min(run.explainedCount, missingCount - run.senderCount);
    if (this.unexplained(id) === 0) run.askedCount = 0;
    return this.#isOpen(id, run);
  }

  /** The sender is to be asked now. Returns how often it was by then; 0 where it is not, as nothing is unexplained or it never answers. */
  asks(id: string): number {
    const run = this.#runs.peek(id);
    return run !== undefined && this.#isOpen(id, run) ? ++run.askedCount : 0;
  }

  /** The sender said how many of its frames so far did not reach the channel. */
  stated(id: string, refusedCount: number): void {
    const run = this.#runs.peek(id);
    if (run !== undefined) run.senderCount = Math.max(run.senderCount, refusedCount);
  }

  /** How many frames of a KID, below a counter or all so far, did not come, unexplained. */
  unexplained(id: string, upTo?: number): number {
    const run = this.#runs.peek(id);
    if (run === undefined) return 0;
    const { window, explainedCount, senderCount } = run;
    return Math.max(0, window.missingBelow(upTo ?? window.next) - explainedCount - senderCount);
  }

  /** They are told, and so explained: the sender answered. */
  tell(id: string, count: number): void {
    const run = this.#runs.peek(id);
    if (run === undefined) return;
    run.explainedCount += count;
    run.askedCount = 0;
  }

  #isOpen(id: string, { askedCount }: Run): boolean {
    return askedCount < MAX_ASKED && this.unexplained(id) > 0;
  }
}

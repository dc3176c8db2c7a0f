import type { ReplayWindow } from './crypto/replay-window.ts';
import { Lru } from './lru.ts';

/** What explains the holes in the counters of a KID. */
interface Run {
  readonly window: ReplayWindow;
  /** Holes that came of a loss, of what was refused here, or of what was told already, and those from before anybody could know. */
  explainedCount: number;
  /** By the sender's word, frames that the relay refused or that never left. */
  senderCount: number;
}

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

  /** A frame was opened. Returns how many of its KID before it did not come, unexplained. */
  opened(id: string, window: ReplayWindow): number {
    const missingCount = window.missingBelow(window.next);
    const run = this.#runs.peek(id) ?? { window, explainedCount: missingCount, senderCount: 0 };
    this.#runs.set(id, run);
    // What was lost before this frame and is no hole of this KID was another's: it explains nothing that comes later.
    run.explainedCount = Math.min(run.explainedCount, missingCount - run.senderCount);
    return this.unexplained(id);
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

  /** They are told, and so explained. */
  tell(id: string, count: number): void {
    const run = this.#runs.peek(id);
    if (run !== undefined) run.explainedCount += count;
  }
}

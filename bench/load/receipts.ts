/** Holds what was acknowledged against what was delivered: every 202 has its frame, and every frame its 202, in the order of seq. */
export class Receipts {
  /** Numbers of the requests, by seq − 1. */
  readonly #acknowledged: number[] = [];
  readonly #delivered: number[] = [];
  #acknowledgedCount = 0;
  #problem: string | null = null;

  /** Whether as many frames arrived as were acknowledged. */
  get isComplete(): boolean {
    return this.#delivered.length >= this.#acknowledgedCount;
  }

  /** Notes a 202 for the request with this number. */
  acknowledge(number: number, seq: number): void {
    if (!Number.isInteger(seq) || seq < 1) this.#problem ??= `a 202 has seq ${seq}`;
    else if (this.#acknowledged[seq - 1] !== undefined) this.#problem ??= `two answers have seq ${seq}`;
    this.#acknowledged[seq - 1] = number;
    this.#acknowledgedCount++;
  }

  /** Notes a frame that the subscriber got. */
  deliver(number: number, seq: number): void {
    const due = this.#delivered.length + 1;
    if (seq !== due) this.#problem ??= `the subscriber got seq ${seq} instead of ${due}`;
    this.#delivered.push(number);
  }

  /** Notes anything else that went wrong; the first thing counts. */
  fail(problem: string): void {
    this.#problem ??= problem;
  }

  /** What is wrong so far, or null. Call it with nothing under way. */
  verdict(): string | null {
    if (this.#problem !== null) return this.#problem;
    if (this.#delivered.length !== this.#acknowledgedCount) {
      return `${this.#acknowledgedCount} requests were answered with 202, the subscriber got ${this.#delivered.length} frames`;
    }
    const wrong = this.#delivered.findIndex((number, i) => number !== this.#acknowledged[i]);
    return wrong < 0 ? null : `the frame with seq ${wrong + 1} is not the one whose 202 said so`;
  }
}

import { TURN_UNITS } from './costs.ts';

/** One tenant's part of each turn of the loop. What it uses over that is a debt, and it sits out turns until the debt is gone. */
export class Share {
  #debt = 0;
  #turn = 0;
  #lateTurn = -1;

  /** Adds work that was done for the tenant, in units. */
  spend(units: number): void {
    this.#debt += units;
  }

  /** Whether the tenant has had its part of this turn: what else it sends must wait. */
  isSpent(turn: number): boolean {
    if (turn !== this.#turn) {
      this.#debt = Math.max(0, this.#debt - TURN_UNITS * (turn - this.#turn));
      this.#turn = turn;
    }
    return this.#debt >= TURN_UNITS;
  }

  /** Notes that something of the tenant waits for a later turn. */
  putOff(turn: number): void {
    this.#lateTurn = turn;
  }

  /** Whether something waited in this turn or the one before: more is to come then, and frames had better leave together. */
  isLate(turn: number): boolean {
    return turn - this.#lateTurn <= 1;
  }
}

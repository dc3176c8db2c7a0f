import { COST, TURN_UNITS } from './costs.ts';
import { TokenBucket } from './rate-limit.ts';

/**
 * One tenant's part of each turn of the loop, and of deliveries. What it uses over its part of a turn is a debt, and it sits out turns until
 * the debt is gone.
 */
export class Share {
  readonly #deliveries: TokenBucket;
  #debt = 0;
  #turn = 0;
  #lateTurn = -1;

  constructor(deliveriesPerSecond: number = Number.MAX_SAFE_INTEGER) {
    this.#deliveries = new TokenBucket(deliveriesPerSecond);
  }

  /** Changes how many deliveries a second there may be. */
  setDeliveries(perSecond: number): void {
    this.#deliveries.setRate(perSecond);
  }

  /** Whether more may be delivered; what is under way may have made a debt. */
  mayDeliver(nowMs: number): boolean {
    return this.#deliveries.isSolvent(nowMs);
  }

  /** Adds a message that is handed to so many connections. */
  deliver(connectionCount: number, nowMs: number): void {
    this.#debt += connectionCount * COST.delivery;
    this.#deliveries.take(connectionCount, nowMs);
  }

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

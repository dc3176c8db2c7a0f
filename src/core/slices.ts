import type { EndOfTurn } from './ports.ts';
import type { Share } from './share.ts';
import type { Turn } from './turn.ts';

/** Yielded by work that can do nothing at the moment: it is asked again at the next tick. */
export const WAIT = -1;

/** Long work, cut in pieces: yields what each piece cost, in units, or WAIT. */
export type Work = Generator<number, void, void>;

interface Job {
  readonly share: Share;
  readonly work: Work;
  readonly done: () => void;
}

/** What is done of some work at once, before the rest is left to later turns. */
const UNITS_AT_ONCE = 200;

/** Does long work over many turns of the loop, each tenant's within the tenant's part of each turn, and one piece at least. */
export class Slices {
  readonly #turn: Turn;
  readonly #endOfTurn: EndOfTurn;
  readonly #unitsAtOnce: number;
  #running: Job[] = [];
  #parked: Job[] = [];
  #isDue = false;

  constructor(turn: Turn, endOfTurn: EndOfTurn, unitsAtOnce = UNITS_AT_ONCE) {
    this.#turn = turn;
    this.#endOfTurn = endOfTurn;
    this.#unitsAtOnce = unitsAtOnce;
  }

  /** How much work is under way. */
  get count(): number {
    return this.#running.length + this.#parked.length;
  }

  /** Begins some work; `done` is called when all of it is done, which may be now. */
  begin(share: Share, work: Work, done: () => void = nothing): void {
    this.#turn.open();
    let units = 0;
    while (units < this.#unitsAtOnce) {
      const step = work.next();
      if (step.done === true) {
        done();
        return;
      }
      const job = { share, work, done };
      if (step.value === WAIT) {
        this.#parked.push(job);
        return;
      }
      share.spend(step.value);
      units += step.value;
    }
    this.#running.push({ share, work, done });
    this.#schedule();
  }

  /** Does something that cannot be cut in pieces: at once, or in a later turn when the tenant has had its part of this one. */
  inTurn(share: Share, act: () => Promise<void> | void): Promise<void> | void {
    this.#turn.open();
    if (!share.isSpent(this.#turn.id)) return act();
    return new Promise((resolve) => {
      this.#running.push({ share, work: once(() => resolve(attempt(act))), done: nothing });
      this.#schedule();
    });
  }

  /** Does some work to its end, however long that takes. */
  finish(work: Work): void {
    this.#turn.open();
    for (let step = work.next(); step.done !== true && step.value !== WAIT; step = work.next());
  }

  /** Asks work that had to wait whether it can go on. */
  tick(): void {
    if (this.#parked.length === 0) return;
    this.#running.push(...this.#parked);
    this.#parked = [];
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isDue || this.#running.length === 0) return;
    this.#isDue = true;
    this.#endOfTurn(this.#run);
  }

  readonly #run = (): void => {
    this.#isDue = false;
    this.#turn.open();
    const jobs = this.#running;
    const next: Job[] = [];
    const overdrawn = new Set<Share>(); // what is sent takes its part of a turn first: one piece goes ahead all the same
    this.#running = [];
    for (const job of jobs) {
      const isSpent = job.share.isSpent(this.#turn.id);
      if (isSpent && overdrawn.has(job.share)) {
        this.#running.push(job);
        continue;
      }
      if (isSpent) overdrawn.add(job.share);
      if (this.#advance(job)) next.push(job);
    }
    this.#running.push(...next); // behind those that had no turn
    this.#schedule();
  };

  /** Does some pieces, one at least; whether the job can go on. */
  #advance(job: Job): boolean {
    let units = 0;
    do {
      const step = job.work.next();
      if (step.done === true || step.value === WAIT) {
        if (step.done === true) job.done();
        else this.#parked.push(job);
        return false;
      }
      job.share.spend(step.value);
      units += step.value;
    } while (units < UNITS_AT_ONCE && !job.share.isSpent(this.#turn.id));
    return true;
  }
}

/** Work of one piece; what it costs is charged by itself. */
// biome-ignore lint/correctness/useYield: all of it is done at once
function* once(act: () => void): Work {
  act();
}

/** Does it now; what it throws, the promise is rejected with. */
function attempt(act: () => Promise<void> | void): Promise<void> {
  return new Promise((resolve) => resolve(act()));
}

function nothing(): void {
  // for work that nobody waits for
}

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

/** Does long work over many turns of the loop, each tenant's within the tenant's part of each turn. */
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
    this.#running = [];
    for (const job of jobs) {
      if (job.share.isSpent(this.#turn.id)) this.#running.push(job);
      else if (this.#advance(job)) next.push(job);
    }
    this.#running.push(...next); // behind those that had no turn
    this.#schedule();
  };

  /** Does one piece; whether the job can go on. */
  #advance(job: Job): boolean {
    for (let units = 0; units < UNITS_AT_ONCE && !job.share.isSpent(this.#turn.id); ) {
      const step = job.work.next();
      if (step.done === true || step.value === WAIT) {
        if (step.done === true) job.done();
        else this.#parked.push(job);
        return false;
      }
      job.share.spend(step.value);
      units += step.value;
    }
    return true;
  }
}

function nothing(): void {
  // for work that nobody waits for
}

import { setTimeout as sleep } from 'node:timers/promises';
import { cpuUs, cpuUsEach } from '../support/cpu.ts';
import { Load } from './load.ts';
import type { Duration, Sample } from './measure.ts';
import type { Peer } from './peer.ts';
import type { Scenario } from './scenarios.ts';

const STALL_MS = 10_000;
/** How long a surplus copy of the last message may take to show up. */
const QUIET_MS = 100;

interface Mark {
  readonly atMs: number;
  readonly deliveries: number;
  readonly cpuUs: number | null;
}

/** One load on peers that have joined: warm-up, the measured phase between two windows, and the wait for what is still under way. */
export class Run {
  #first: Mark | undefined;
  #sample: Sample | undefined;
  #nextMarkMs: number;
  #resolve: (sample: Sample) => void = () => {};
  #reject: (error: Error) => void = () => {};
  readonly #load: Load;
  readonly #pid: number;
  readonly #seconds: number;

  constructor(scenario: Scenario, peers: readonly Peer[], pid: number, duration: Duration) {
    this.#pid = pid;
    this.#seconds = duration.seconds;
    this.#nextMarkMs = performance.now() + duration.warmUpSeconds * 1000;
    this.#load = new Load(scenario, peers, {
      onWindow: () => this.#windowArrived(),
      onViolation: (text) => this.#reject(new Error(text)),
    });
  }

  /** Starts the load; rejects at the first message that is lost, duplicated or reordered. */
  async sample(): Promise<Sample> {
    let seen = 0;
    const watch = setInterval(() => {
      if (this.#load.deliveries === seen) this.#reject(new Error(this.#load.missing() ?? 'the load stands still'));
      seen = this.#load.deliveries;
    }, STALL_MS);
    try {
      return await new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
        this.#load.start();
      });
    } finally {
      clearInterval(watch);
    }
  }

  #windowArrived(): void {
    if (this.#sample === undefined && performance.now() >= this.#nextMarkMs) this.#passMark();
    if (this.#sample !== undefined && this.#load.flying === 0) sleep(QUIET_MS, this.#sample).then(this.#resolve);
  }

  #passMark(): void {
    const mark = { atMs: performance.now(), deliveries: this.#load.deliveries, cpuUs: cpuUs(this.#pid) };
    if (this.#first === undefined) {
      this.#first = mark;
      this.#nextMarkMs = mark.atMs + this.#seconds * 1000;
      this.#load.latencies.clear();
    } else {
      this.#sample = this.#between(this.#first, mark);
      this.#load.stop();
    }
  }

  #between(first: Mark, last: Mark): Sample {
    const { latencies } = this.#load;
    const deliveries = last.deliveries - first.deliveries;
    const seconds = (last.atMs - first.atMs) / 1000;
    return {
      deliveries,
      seconds,
      deliveriesPerSecond: deliveries / seconds,
      p50Us: latencies.percentile(50),
      p99Us: latencies.percentile(99),
      p999Us: latencies.percentile(99.9),
      cpuUs: cpuUsEach(first.cpuUs, last.cpuUs, deliveries),
    };
  }
}

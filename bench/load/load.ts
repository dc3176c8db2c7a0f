import { bodySentUs, bodySequence, bodySource } from './body.ts';
import { Latencies } from './latency.ts';
import { Ledger } from './ledger.ts';
import type { Peer } from './peer.ts';
import type { Scenario } from './scenarios.ts';
import { Window } from './window.ts';

/** What the load tells whoever runs it. */
export interface LoadEvents {
  /** Everybody has a window; the next one has not been sent. */
  readonly onWindow: () => void;
  /** Something was lost, duplicated, reordered or refused. */
  readonly onViolation: (text: string) => void;
}

/** Drives the peers of a scenario: publishes windows, checks and counts every delivery. */
export class Load {
  readonly latencies = new Latencies();
  deliveries = 0;
  /** Windows under way. */
  flying = 0;
  #isStopping = false;
  readonly #ledger: Ledger;
  readonly #scenario: Scenario;
  readonly #peers: readonly Peer[];
  readonly #events: LoadEvents;
  readonly #windows: readonly Window[];
  /** Deliveries still to come of the window under way, by publisher. */
  readonly #awaited: Uint32Array;
  readonly #originMs = performance.now();

  constructor(scenario: Scenario, peers: readonly Peer[], events: LoadEvents) {
    this.#scenario = scenario;
    this.#peers = peers;
    this.#events = events;
    this.#ledger = new Ledger(scenario.members);
    this.#windows = peers.map((peer, source) => new Window(scenario.window, peer.prefix, source));
    this.#awaited = new Uint32Array(peers.length);
    for (const [receiver, peer] of peers.entries()) {
      peer.onBody = (bytes, start, seq, readAtMs) => this.#receive(receiver, bytes, start, seq, readAtMs);
      peer.socket.onFailure = (reason) => events.onViolation(`member ${receiver}: ${reason}`);
    }
  }

  /** Publishes the first windows. */
  start(): void {
    for (const [source, { starts }] of this.#scenario.members.entries()) if (starts) this.#publish(source);
  }

  /** Publishes no more; what is under way still arrives. */
  stop(): void {
    this.#isStopping = true;
  }

  /** Names the first delivery that is still missing; null when there is none. */
  missing(): string | null {
    return this.#ledger.missing();
  }

  #publish(source: number): void {
    const window = this.#windows[source];
    const { size } = this.#scenario.window;
    window?.stamp(this.#ledger.publish(source, size), this.#us(performance.now()));
    this.#awaited[source] = size * (this.#scenario.members[source]?.receiverCount ?? 0);
    this.flying++;
    if (window !== undefined) this.#peers[source]?.socket.write(window.bytes);
  }

  #receive(receiver: number, bytes: Buffer, start: number, seq: number, readAtMs: number): void {
    const source = bodySource(bytes, start);
    const problem = this.#ledger.receive(receiver, source, bodySequence(bytes, start), seq);
    if (problem !== null) {
      this.#events.onViolation(problem);
      return;
    }
    this.latencies.record(this.#us(readAtMs) - bodySentUs(bytes, start));
    this.deliveries++;
    const awaited = (this.#awaited[source] ?? 0) - 1;
    this.#awaited[source] = awaited;
    if (awaited === 0) this.#arrived(source);
  }

  #arrived(source: number): void {
    this.flying--;
    this.#events.onWindow();
    const next = this.#scenario.members[source]?.next;
    if (!this.#isStopping && next !== undefined) this.#publish(next);
  }

  #us(ms: number): number {
    return ((ms - this.#originMs) * 1000) >>> 0;
  }
}

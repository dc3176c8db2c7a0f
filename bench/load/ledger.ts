import { NO_SEQ } from './peer.ts';
import type { Member } from './scenarios.ts';

/** Knows what each member must get next: from each publisher, and in the channel's own numbers. */
export class Ledger {
  readonly #members: readonly Member[];
  /** Bodies published so far, by publisher. */
  readonly #published: Uint32Array;
  /** The number due next, by receiver and publisher. */
  readonly #due: Uint32Array;
  /** The seq due next, by receiver. Every channel begins with 1: nobody publishes before all have joined. */
  readonly #dueSeq: Float64Array;

  constructor(members: readonly Member[]) {
    this.#members = members;
    this.#published = new Uint32Array(members.length);
    this.#due = new Uint32Array(members.length * members.length);
    this.#dueSeq = new Float64Array(members.length).fill(1);
  }

  /** Notes that a member publishes `count` bodies; returns the number of the first. Its own take a seq each that it does not see. */
  publish(source: number, count: number): number {
    const first = this.#published[source] ?? 0;
    this.#published[source] = first + count;
    this.#dueSeq[source] = (this.#dueSeq[source] ?? 0) + count;
    return first;
  }

  /** Notes a delivery; returns what is wrong with it, or null. */
  receive(receiver: number, source: number, sequence: number, seq: number): string | null {
    const topic = this.#members[receiver]?.topic;
    if (this.#members[source]?.topic !== topic)
      return `member ${receiver} of ${topic} got a message of member ${source}`;
    const index = receiver * this.#members.length + source;
    const due = this.#due[index] ?? 0;
    if (sequence !== due)
      return `${this.#pair(receiver, source)}: expected message ${due}, got ${sequence} (${verdict(sequence, due)})`;
    this.#due[index] = due + 1;
    if (seq === NO_SEQ) return null;
    const dueSeq = this.#dueSeq[receiver] ?? 0;
    if (seq !== dueSeq)
      return `${this.#pair(receiver, source)}: message ${sequence} should have seq ${dueSeq}, it has ${seq}`;
    this.#dueSeq[receiver] = dueSeq + 1;
    return null;
  }

  /** Names the first delivery that is still missing; null when there is none. */
  missing(): string | null {
    for (const [receiver, { topic, subscribes }] of this.#members.entries()) {
      for (const [source, sender] of this.#members.entries()) {
        if (!subscribes || source === receiver || sender.topic !== topic) continue;
        const due = this.#due[receiver * this.#members.length + source] ?? 0;
        const published = this.#published[source] ?? 0;
        if (due < published) return `${this.#pair(receiver, source)}: got ${due} of ${published} messages (lost)`;
      }
    }
    return null;
  }

  #pair(receiver: number, source: number): string {
    return `member ${receiver} of ${this.#members[receiver]?.topic} from member ${source}`;
  }
}

function verdict(sequence: number, due: number): string {
  return sequence > due ? 'lost or reordered' : 'duplicated or reordered';
}

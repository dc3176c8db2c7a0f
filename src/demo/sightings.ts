import type { Frame } from './frames.ts';

/** The two people of a page. */
export type Side = 'left' | 'right';

/** One frame as the relay has it. */
export interface Sighting {
  /** Whose connection on this page it came from; `other` for another page's. */
  readonly side: Side | 'other';
  /** The connection's id; null ahead of its WELCOME, 0 for HTTP. */
  readonly sender: number | null;
  /** The channel's name as the relay knows it; null for HELLO. */
  readonly channel: string | null;
  /** Bytes: of a message's body, as sealed and padded; of any other frame whole. */
  readonly size: number;
  /** What is to be read of it: the first bytes of a body, or in words what another frame says. */
  readonly shown: string;
  /** The relay's number of a message, 0 until it is known. */
  seq: number;
}

const SHOWN_BYTES = 24;

/**
 * Makes one sighting of each frame that reaches the relay, though it passes this page up to three times: on its way out, and in to each
 * person. A message on its way out has no number and no sender yet; it is told by its first bytes, which no two have in common.
 */
export class Sightings {
  readonly #onNew: (sighting: Sighting) => void;
  readonly #onNumber: (sighting: Sighting) => void;
  readonly #sides = new Map<number, Side>();
  readonly #senders: Partial<Record<Side, number>> = {};
  readonly #unnumbered = new Map<string, Sighting>();
  readonly #numbered = new Map<string, Sighting>();
  #channel: string | null = null;

  constructor(onNew: (sighting: Sighting) => void, onNumber: (sighting: Sighting) => void) {
    this.#onNew = onNew;
    this.#onNumber = onNumber;
  }

  /** The id of a person's connection, the latest one. */
  senderOf(side: Side): number | undefined {
    return this.#senders[side];
  }

  /** Whose connection an id is. */
  sideOf(sender: number): Side | 'other' {
    return this.#sides.get(sender) ?? 'other';
  }

  /** A message by its sender and number, while it is remembered. */
  find(sender: number, seq: number): Sighting | undefined {
    return this.#numbered.get(`${sender} ${seq}`);
  }

  /** Lets go of a sighting that is no longer shown. */
  forget(sighting: Sighting): void {
    this.#numbered.delete(`${sighting.sender} ${sighting.seq}`);
    this.#unnumbered.delete(sighting.shown);
  }

  /** Takes a frame that passed on a person's connection. */
  see(side: Side, frame: Frame): void {
    if (frame.type === 'welcome') {
      this.#senders[side] = frame.sender;
      this.#sides.set(frame.sender, side);
    } else if (frame.type === 'hello') {
      const shown = `HELLO: a token of tenant demo, user ${frame.user}`;
      this.#onNew({ side, sender: null, channel: null, size: frame.size, shown, seq: 0 });
    } else if (frame.type === 'attach') {
      this.#channel = frame.channel;
      const sender = this.#senders[side] ?? null;
      const shown = 'ATTACH: this connection reads and writes this channel';
      this.#onNew({ side, sender, channel: frame.channel, size: frame.size, shown, seq: 0 });
    } else if (frame.seq === 0) this.#leaving(side, frame.body);
    else this.#coming(frame.sender, frame.seq, frame.body);
  }

  #leaving(side: Side, body: Uint8Array): void {
    const sighting = this.#message(this.#senders[side] ?? 0, 0, body);
    this.#unnumbered.set(sighting.shown, sighting);
    this.#onNew(sighting);
  }

  #coming(sender: number, seq: number, body: Uint8Array): void {
    if (this.find(sender, seq) !== undefined) return;
    const known = this.#unnumbered.get(hexOf(body));
    const sighting = known ?? this.#message(sender, seq, body);
    this.#numbered.set(`${sender} ${seq}`, sighting);
    if (known === undefined) {
      this.#onNew(sighting);
      return;
    }
    this.#unnumbered.delete(known.shown);
    known.seq = seq;
    this.#onNumber(known);
  }

  #message(sender: number, seq: number, body: Uint8Array): Sighting {
    return { side: this.sideOf(sender), sender, channel: this.#channel, size: body.length, shown: hexOf(body), seq };
  }
}

function hexOf(body: Uint8Array): string {
  const hex = Array.from(body.subarray(0, SHOWN_BYTES), (byte) => byte.toString(16).padStart(2, '0'));
  return hex.join(' ') + (body.length > SHOWN_BYTES ? ' …' : '');
}

import { clockTime, element, unseen } from './dom.ts';
import type { Side } from './sightings.ts';
import { Tail } from './tail.ts';

/** Where a message stands in what the relay sees: its sender and number, and the size of its body in bytes. */
export interface Trace {
  readonly sender: number;
  readonly seq: number;
  readonly size: number;
}

/** One person's conversation: bubbles for what is said, lines for what happens. */
export class Transcript {
  readonly #tail: Tail;
  readonly #onTrace: (trace: Trace) => void;
  /** The feet of own bubbles that have not come back yet. */
  readonly #open = new Map<number, HTMLElement>();

  /** `onTrace` is told when someone wants to see a message as the relay does. */
  constructor(log: HTMLElement, onTrace: (trace: Trace) => void) {
    this.#tail = new Tail(log);
    this.#onTrace = onTrace;
  }

  /** A line about something that happened. */
  note(text: string): void {
    this.#tail.add(element('p', 'note', text));
  }

  /** A line about what was missed. */
  loss(text: string): void {
    this.#tail.add(element('p', 'note is-loss', text));
  }

  /** A bubble of one's own; `state` says how far it got. */
  own(id: number, text: string, side: Side, state: string): void {
    const foot = this.#bubble('You', text, side, state);
    foot.parentElement?.classList.add('is-own');
    this.#open.set(id, foot);
  }

  /** The relay has taken an own message, and sent it back with its number. */
  confirm(id: number, trace: Trace): void {
    this.#open.get(id)?.replaceChildren(clockTime(false), ' ', this.#link(trace));
    this.#open.delete(id);
  }

  /** Own messages that were under way will not come back: says so. */
  abandon(state: string): void {
    for (const foot of this.#open.values()) foot.replaceChildren(state);
    this.#open.clear();
  }

  /** A bubble of somebody else's. */
  other(from: string, text: string, side: Side | 'other', trace: Trace): void {
    this.#bubble(from, text, side, clockTime(false), ' ', this.#link(trace));
  }

  clear(): void {
    this.#tail.clear();
    this.#open.clear();
  }

  #bubble(from: string, text: string, side: Side | 'other', ...footing: readonly (Node | string)[]): HTMLElement {
    const foot = element('p', 'bubble-foot', ...footing);
    foot.ariaLive = 'off'; // what changes here later is not worth a second announcement
    const item = element('div', 'bubble', element('p', 'bubble-name', from), element('p', 'bubble-text', text), foot);
    item.dataset.side = side;
    this.#tail.add(item);
    return foot;
  }

  #link(trace: Trace): HTMLButtonElement {
    const button = element('button', 'trace', `#${trace.seq} · ${trace.size} B`, unseen(', show what the relay sees'));
    button.type = 'button';
    button.addEventListener('click', () => this.#onTrace(trace));
    return button;
  }
}

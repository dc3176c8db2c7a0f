import { clockTime, element, unseen } from './dom.ts';
import { type Sighting, Sightings } from './sightings.ts';
import { Tail } from './tail.ts';

const CHANNEL_CHARS = 6;

interface Row {
  readonly element: HTMLElement;
  readonly number: HTMLElement;
}

/** The list of what the relay sees. It is not live for screen readers: it would talk without end. */
export class Strip {
  readonly sightings: Sightings;
  readonly #rows = new Map<Sighting, Row>();
  readonly #shown = new WeakMap<Element, Sighting>();
  readonly #tail: Tail;

  constructor(list: HTMLElement) {
    this.sightings = new Sightings(
      (sighting) => this.#add(sighting),
      (sighting) => this.#rows.get(sighting)?.number.replaceChildren(`#${sighting.seq}`),
    );
    this.#tail = new Tail(list, (item) => this.#drop(item));
  }

  /** Brings a message's row into view and puts the focus there; false when it has scrolled out of the list. */
  show(sender: number, seq: number): boolean {
    const row = this.#row(sender, seq);
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: 'nearest' });
    return row !== undefined;
  }

  /** Marks a message that nobody here could open. */
  refused(sender: number, seq: number): void {
    this.#row(sender, seq)?.classList.add('is-refused');
  }

  #row(sender: number, seq: number): HTMLElement | undefined {
    const sighting = this.sightings.find(sender, seq);
    return sighting === undefined ? undefined : this.#rows.get(sighting)?.element;
  }

  #add(sighting: Sighting): void {
    const { side, sender, channel, size, shown, seq } = sighting;
    const number = element('span', 'row-seq', seq === 0 ? '' : `#${seq}`);
    const name = element('span', 'row-channel', ...(channel === null ? [] : [unseen('channel '), shorten(channel)]));
    if (channel !== null) name.title = channel;
    const item = element(
      'li',
      'row',
      element('span', 'row-time', clockTime(true)),
      element('span', 'row-sender', unseen('connection '), sender === null ? 'new' : String(sender)),
      name,
      number,
      element('span', 'row-size', `${size} B`),
      element('code', 'row-bytes', shown),
    );
    item.dataset.side = side;
    item.tabIndex = -1;
    this.#rows.set(sighting, { element: item, number });
    this.#shown.set(item, sighting);
    this.#tail.add(item);
  }

  #drop(item: Element): void {
    const sighting = this.#shown.get(item);
    if (sighting === undefined) return;
    this.#rows.delete(sighting);
    this.sightings.forget(sighting);
  }
}

function shorten(channel: string): string {
  return `${channel.slice(0, CHANNEL_CHARS)}…`;
}

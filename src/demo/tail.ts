const MAX_ITEMS = 200;
/** Closer to the end than this counts as being there. */
const NEAR_PX = 48;

/** A scrolling list that keeps its last 200 items, and stays at its end unless someone has scrolled back. */
export class Tail {
  readonly #list: HTMLElement;
  readonly #onDrop: (item: Element) => void;
  #isAtEnd = true;
  #isMoving = false;

  constructor(list: HTMLElement, onDrop: (item: Element) => void = () => {}) {
    this.#list = list;
    this.#onDrop = onDrop;
    list.tabIndex = 0; // or the keyboard could not scroll it
    list.addEventListener('scroll', () => {
      if (this.#isMoving) return; // this tells of a move before the latest item
      this.#isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
    });
    new ResizeObserver(() => this.#follow()).observe(list); // a phone's keyboard came up, or the list was hidden until now
  }

  add(item: HTMLElement): void {
    this.#list.append(item);
    this.#follow();
    const oldest = this.#list.firstElementChild;
    if (this.#list.childElementCount <= MAX_ITEMS || oldest === null) return;
    oldest.remove();
    this.#onDrop(oldest);
  }

  clear(): void {
    this.#list.replaceChildren();
  }

  /** Once a frame is enough: measuring after each item would lay the page out as often. */
  #follow(): void {
    if (!this.#isAtEnd || this.#isMoving) return;
    this.#isMoving = true;
    requestAnimationFrame(() => {
      this.#isMoving = false;
      this.#list.scrollTop = this.#list.scrollHeight;
    });
  }
}

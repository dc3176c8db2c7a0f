import { element, onPress, part, setEnabled } from './dom.ts';
import type { Side } from './sightings.ts';
import { type Trace, Transcript } from './transcript.ts';

/** What a person does in a pane. */
export interface PaneActions {
  say(text: string): void;
  rename(name: string): void;
  cut(): void;
}

const TICK_MS = 200;

/** One person's part of the page. */
export class Pane {
  readonly side: Side;
  readonly transcript: Transcript;
  actions: PaneActions | undefined;
  readonly #name: HTMLInputElement;
  readonly #labels: Iterable<HTMLElement>;
  readonly #section: HTMLElement;
  readonly #state: HTMLElement;
  readonly #here: HTMLElement;
  readonly #cut: HTMLButtonElement;
  readonly #log: HTMLElement;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onTrace` is told when someone wants to see a message as the relay does. */
  constructor(side: Side, name: string, onTrace: (trace: Trace) => void) {
    const section = part(document, side, HTMLElement);
    section.append(part(document, 'pane', HTMLTemplateElement).content.cloneNode(true));
    this.side = side;
    this.#section = section;
    this.#name = part(section, 'name', HTMLInputElement);
    this.#state = part(section, 'state', HTMLElement);
    this.#here = part(section, 'here', HTMLElement);
    this.#cut = part(section, 'cut', HTMLButtonElement);
    this.#log = part(section, 'log', HTMLElement);
    this.#labels = document.querySelectorAll<HTMLElement>(
      `[data-name-of="${side}"], [data-part="${side}"] [data-name-of=""]`,
    );
    this.transcript = new Transcript(this.#log, onTrace);
    this.#name.value = name;
    this.#relabel();
    this.#name.addEventListener('change', () => this.#rename());
    onPress(this.#cut, () => this.actions?.cut());
    const text = part(section, 'text', HTMLInputElement);
    part(section, 'form', HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      if (text.value.trim() !== '') this.actions?.say(text.value.trim());
      text.value = '';
    });
  }

  get name(): string {
    return this.#name.value;
  }

  /** Makes this conversation the one that a screen reader speaks, or not: both panes get the same messages. */
  speak(isSpeaking: boolean): void {
    this.#log.ariaLive = isSpeaking ? 'polite' : 'off';
  }

  /** Calls `listener` when the focus comes into the pane. */
  onFocus(listener: () => void): void {
    this.#section.addEventListener('focusin', listener);
  }

  /** Shows who else is here. */
  here(names: readonly string[]): void {
    this.#here.textContent = names.length === 0 ? 'nobody else is here' : `with ${names.join(', ')}`;
  }

  /** Shows that there is no connection yet. */
  joining(): void {
    setEnabled(this.#cut, false);
    this.#show('joining', 'connecting');
    this.here([]);
  }

  /** Shows the connection, by the id that the relay gave it. */
  online(sender: number): void {
    this.#show('online', 'online as ', element('code', '', String(sender)));
    setEnabled(this.#cut, true);
  }

  /** Shows that there is no connection; until `untilMs`, if that lies ahead, on purpose. */
  offline(untilMs: number): void {
    setEnabled(this.#cut, false);
    const tick = (): void => {
      const seconds = Math.ceil((untilMs - Date.now()) / 1000);
      this.#show('offline', seconds > 0 ? `offline, back in ${seconds} s` : 'offline, coming back');
      if (seconds > 0) this.#timer = setTimeout(tick, TICK_MS);
    };
    tick();
  }

  /** Shows that it is over. */
  ended(): void {
    setEnabled(this.#cut, false);
    this.#show('ended', 'no connection');
  }

  #show(state: string, ...content: readonly (Node | string)[]): void {
    clearTimeout(this.#timer);
    this.#section.dataset.state = state;
    this.#state.replaceChildren(...content);
  }

  #rename(): void {
    this.#name.value = this.#name.value.trim() || 'Nobody';
    this.#relabel();
    this.actions?.rename(this.#name.value);
  }

  #relabel(): void {
    for (const label of this.#labels) label.textContent = this.#name.value;
    this.#log.ariaLabel = `Conversation as ${this.#name.value} sees it`;
  }
}

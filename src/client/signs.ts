import { nowMs } from './clock.ts';

/** The parts of a browser's window, worker or other host that may tell of the network. */
interface Host extends Partial<EventTarget> {
  readonly document?: EventTarget & { readonly visibilityState?: string };
  readonly navigator?: { readonly connection?: EventTarget };
}

const TICK_MS = 1000;
/** A tick that is late by this much: the machine or the page was asleep. */
const ASLEEP_MS = 3000;

/** Signs are passed on this often. */
const PAUSE_MS = 500;

/**
 * Calls back at signs that the network may be another one, or this program was asleep; `mayBeBack` is false where it can only have become
 * worse. Sleep is noticed by the wall clock, which is the only one that goes on meanwhile; a clock that is set looks the same.
 */
export class Signs {
  readonly #onSign: (mayBeBack: boolean) => void;
  readonly #host: Host;
  readonly #listening: (() => void)[] = [];
  #next: ReturnType<typeof setTimeout> | undefined;
  #mayBeBack = false;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(onSign: (mayBeBack: boolean) => void, host = globalThis as unknown as Host) {
    this.#onSign = onSign;
    this.#host = host;
  }

  /** Looks out for signs, until `stop`. */
  start(): void {
    const { document, navigator } = this.#host;
    this.#listen(this.#host, 'online', 'offline', 'pageshow');
    if (document !== undefined) this.#listen(document, 'visibilitychange', 'resume');
    if (navigator?.connection !== undefined) this.#listen(navigator.connection, 'change');
    let atMs = Date.now();
    const timer = setInterval(() => {
      const lateMs = Math.abs(Date.now() - atMs - TICK_MS);
      atMs = Date.now();
      if (lateMs > ASLEEP_MS) this.sign(true);
    }, TICK_MS);
    this.#listening.push(() => clearInterval(timer));
  }

  /** There is a sign. Several in a row are one, behind them. */
  sign(mayBeBack: boolean): void {
    this.#mayBeBack ||= mayBeBack;
    if (this.#next !== undefined) return;
    const act = (): void => {
      const isBack = this.#mayBeBack;
      this.#next = undefined;
      this.#mayBeBack = false;
      this.#lastMs = nowMs();
      this.#onSign(isBack);
    };
    const inMs = this.#lastMs + PAUSE_MS - nowMs();
    if (inMs <= 0) act();
    else this.#next = setTimeout(act, inMs);
  }

  stop(): void {
    clearTimeout(this.#next);
    for (const stop of this.#listening) stop();
  }

  #listen(target: Partial<EventTarget>, ...names: readonly string[]): void {
    const listener = ({ type }: { readonly type: string }): void => {
      const isHidden = type === 'visibilitychange' && this.#host.document?.visibilityState === 'hidden';
      if (!isHidden) this.sign(type !== 'offline');
    };
    for (const name of names) {
      target.addEventListener?.(name, listener);
      this.#listening.push(() => target.removeEventListener?.(name, listener));
    }
  }
}

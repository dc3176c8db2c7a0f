import { abortSignal, action, check, checkOptions, oneOf } from './options.ts';

/** How long to listen. */
export interface ListenOptions {
  /** Stops listening. */
  readonly signal?: AbortSignal;
}

const RULES = { signal: abortSignal };

interface Listening {
  readonly listener: (event: never) => void;
  readonly stop: () => void;
}

/** Listeners by event name. A listener that throws is reported to the host, and the others still hear the event. */
export class Events<Map extends object> {
  readonly #names: readonly string[];
  readonly #listening = new globalThis.Map<keyof Map, Set<Listening>>();

  constructor(...names: readonly (keyof Map & string)[]) {
    this.#names = names;
  }

  /**
   * Listens to an event, from the next one on; the returned function stops that, and so does the signal. Throws a TypeError for an event
   * that there is not.
   */
  on<Name extends keyof Map>(name: Name, listener: (event: Map[Name]) => void, options?: ListenOptions): () => void {
    check('on', name, oneOf(...this.#names));
    check('on: listener', listener, action);
    const { signal } = checkOptions('on', options, RULES);
    const all = this.#listening.get(name) ?? new Set();
    const stop = (): void => {
      all.delete(listening);
      signal?.removeEventListener('abort', stop);
    };
    const listening: Listening = { listener, stop };
    if (signal?.aborted === true) return stop;
    this.#listening.set(name, all.add(listening));
    signal?.addEventListener('abort', stop, { once: true });
    return stop;
  }

  /** Whether somebody listens to an event. */
  isHeard(name: keyof Map): boolean {
    return (this.#listening.get(name)?.size ?? 0) > 0;
  }

  /** Lets go of all who listen, and of their signals. */
  end(): void {
    for (const all of this.#listening.values()) for (const { stop } of [...all]) stop();
  }

  /** Tells everybody who listens to an event now, and still does when their turn comes. */
  emit<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    const all = this.#listening.get(name);
    if (all === undefined) return;
    for (const listening of [...all]) {
      if (!all.has(listening)) continue;
      try {
        (listening.listener as (event: Map[Name]) => void)(event);
      } catch (error) {
        setTimeout(() => {
          throw error;
        });
      }
    }
  }
}

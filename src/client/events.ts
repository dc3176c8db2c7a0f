/** How long to listen. */
export interface ListenOptions {
  /** Stops listening. */
  readonly signal?: AbortSignal;
}

/** Listeners by event name. A listener that throws is reported to the host, and the others still hear the event. */
export class Events<Map extends object> {
  readonly #listeners = new globalThis.Map<keyof Map, Set<(event: never) => void>>();
  #held: (() => void)[] | null = null;

  /** Listens to an event; the returned function stops that, and so does the signal. */
  on<Name extends keyof Map>(
    name: Name,
    listener: (event: Map[Name]) => void,
    { signal }: ListenOptions = {},
  ): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    const stop = (): void => {
      listeners.delete(listener);
      signal?.removeEventListener('abort', stop);
    };
    if (signal?.aborted === true) return stop;
    this.#listeners.set(name, listeners.add(listener));
    signal?.addEventListener('abort', stop, { once: true });
    return stop;
  }

  /** Tells every listener of an event. */
  emit<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    if (this.#held !== null) {
      this.#held.push(() => this.emit(name, event));
      return;
    }
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as (event: Map[Name]) => void)(event);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  /** Keeps events back until `release`, so that whoever is about to listen misses none. */
  hold(): void {
    this.#held ??= [];
  }

  /** Tells what was kept back, in order. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const tell of held) tell();
  }
}

/** Listeners by event name. A listener that throws is reported to the host, and the others still hear the event. */
export class Events<Map extends object> {
  readonly #listeners = new globalThis.Map<keyof Map, Set<(event: never) => void>>();

  /** Listens to an event; the returned function stops that. */
  on<Name extends keyof Map>(name: Name, listener: (event: Map[Name]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** Tells every listener of an event. */
  emit<Name extends keyof Map>(name: Name, event: Map[Name]): void {
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
}

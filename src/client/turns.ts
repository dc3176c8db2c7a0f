/** Does things for a name one after the other, and for different names side by side. */
export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Does something once what came before it for this name is done, and settles as it does. */
  take(name: string, act: () => Promise<void>): Promise<void> {
    const acting = this.#last.get(name)?.then(act) ?? act();
    const done = acting
      .catch(() => {})
      .then(() => {
        if (this.#last.get(name) === done) this.#last.delete(name);
      });
    this.#last.set(name, done);
    return acting;
  }
}

import type { Member } from '../client/index.ts';
import { type About, decodeAbout } from './words.ts';

/**
 * Who is here, by name, and what to say of each change. After a reconnect the SDK tells everybody anew: those who were here before
 * and are still here are worth no word.
 */
export class Roster {
  readonly #here = new Map<number, About>();
  readonly #met = new Set<string>();
  readonly #awaited = new Map<string, string>();
  #isReturning = false;

  /** The names of those who are here. */
  get names(): readonly string[] {
    return [...this.#here.values()].map(({ name }) => name);
  }

  /** The connection broke: who is gone when it is back may only have to be heard again. */
  away(): void {
    this.#isReturning = true;
  }

  /** Everybody has had time to be heard again. Says who was not. */
  settled(): string[] {
    this.#isReturning = false;
    const lines = [...this.#awaited.values()].map((name) => `${name} left meanwhile`);
    this.#awaited.clear();
    return lines;
  }

  join({ sender, text }: Member): string | undefined {
    const about = decodeAbout(text, sender);
    this.#here.set(sender, about);
    if (this.#awaited.delete(about.id)) return undefined;
    const isBack = this.#met.has(about.id);
    this.#met.add(about.id);
    return isBack ? `${about.name} is back` : `${about.name} joined`;
  }

  update({ sender, text }: Member): string | undefined {
    const before = this.#here.get(sender)?.name;
    const about = decodeAbout(text, sender);
    this.#here.set(sender, about);
    return before === about.name ? undefined : `${before} is now called ${about.name}`;
  }

  leave({ sender }: Member): string | undefined {
    const about = this.#here.get(sender);
    this.#here.delete(sender);
    if (about === undefined) return undefined;
    if (!this.#isReturning) return `${about.name} left`;
    this.#awaited.set(about.id, about.name);
    return undefined;
  }
}

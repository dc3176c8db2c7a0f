import { setTimeout as wait } from 'node:timers/promises';

const SECOND_MS = 1000;

/** Keeps a writer below the rates that a relay permits a connection (docs/PROTOCOL.md, section 14), so that nothing of a long input is refused. */
export class Pace {
  readonly #limits: Readonly<Record<string, number>>;
  #startedMs = performance.now();
  #frames = 0;
  #bytes = 0;

  /** `limits` are those of WELCOME. */
  constructor(limits: Readonly<Record<string, number>>) {
    this.#limits = limits;
  }

  /** Resolves when a frame of about so many bytes may go. */
  async frame(bytes: number): Promise<void> {
    const { framesPerSecond = Number.POSITIVE_INFINITY, bytesPerSecond = Number.POSITIVE_INFINITY } = this.#limits;
    if (this.#frames >= framesPerSecond || this.#bytes + bytes > bytesPerSecond) {
      await wait(Math.max(0, this.#startedMs + SECOND_MS - performance.now()));
      this.#startedMs = performance.now();
      this.#frames = this.#bytes = 0;
    }
    this.#frames++;
    this.#bytes += bytes;
  }
}

import type { Writable } from 'node:stream';

/** As much as may wait for somebody who does not read; a line that comes then is lost. */
const MAX_WAITING_BYTES = 65_536;

/**
 * A standard stream as it may be: full, closed, or a pipe that nobody reads. Writing never waits and never fails: a line that cannot be
 * written is lost and counted. Trusts Node to write to pipes without blocking, and to survive an error on a standard stream.
 */
export class LossyStream {
  linesLost = 0;
  readonly #open: () => Writable;
  #stream: Writable | undefined;

  /** The stream is opened at the first line. */
  constructor(open: () => Writable) {
    this.#open = open;
  }

  write(line: string): void {
    this.#stream ??= this.#open().on('error', () => {}); // the callback has it, too
    if (this.#stream.writableLength > MAX_WAITING_BYTES) this.linesLost++;
    else this.#stream.write(line, this.#written);
  }

  readonly #written = (error?: Error | null): void => {
    if (error != null) this.linesLost++;
  };
}

/** The process's standard error, where the log goes. */
export const standardError = new LossyStream(() => process.stderr);

const BAR_CHARACTERS = 24;

/** Shows on stderr how far a bench is: a bar on a terminal, elsewhere a line whenever the heading changes. */
export class Progress {
  #done = 0;
  #heading = '';
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
  }

  /** Says what starts now. */
  step(heading: string, detail: string): void {
    if (process.stderr.isTTY) {
      const filled = Math.round((this.#done / this.#total) * BAR_CHARACTERS);
      const bar = '#'.repeat(filled).padEnd(BAR_CHARACTERS, '.');
      process.stderr.write(`\r\x1b[K[${bar}] ${this.#done}/${this.#total} ${heading}, ${detail}`);
    } else if (heading !== this.#heading) {
      process.stderr.write(`${heading}\n`);
    }
    this.#heading = heading;
    this.#done++;
  }

  /** Takes the bar away. */
  clear(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
    this.#heading = '';
  }
}

import {
  type Address,
  createApp,
  type Listening,
  listen,
  passAccepted,
  stopPassing,
  type TemplatedApp,
} from './uws.ts';

type Tls = Parameters<typeof createApp>[0];

/**
 * An address. One app accepts as long as the relay runs, and another, which can be exchanged, serves what was accepted: so the address is
 * never gone, not even for a moment, and nobody's dial is refused.
 */
export class Listener {
  readonly #accepting: TemplatedApp;
  readonly #listening: Listening;
  #serving: TemplatedApp;

  /** Starts listening. Throws a RelayError when that is not possible. */
  constructor(serving: TemplatedApp, tls: Tls, address: Address) {
    this.#serving = serving;
    this.#accepting = createApp(tls);
    passAccepted(this.#accepting, serving);
    this.#listening = listen(this.#accepting, address);
  }

  get port(): number {
    return this.#listening.port;
  }

  /** Lets another app serve what is accepted from now on; the one before keeps what it has. */
  replace(serving: TemplatedApp): void {
    passAccepted(this.#accepting, serving);
    stopPassing(this.#accepting, this.#serving);
    this.#serving = serving;
  }

  /** Stops accepting; open connections stay. */
  close(): void {
    this.#listening.close();
  }
}

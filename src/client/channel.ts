import { utf8 } from './bytes.ts';
import type { ChannelEvents, ChannelState } from './channel-state.ts';
import { MayflyError } from './errors.ts';
import type { Message } from './message.ts';
import type { Presence } from './presence.ts';

/** A channel of a connected relay. Loop over it with `for await`, or listen to its events. It lasts over reconnects. */
export class Channel implements AsyncIterable<Message> {
  readonly #state: ChannelState;
  readonly #onDetach: () => void;

  /** @internal */
  constructor(state: ChannelState, onDetach: () => void) {
    this.#state = state;
    this.#onDetach = onDetach;
  }

  get name(): string {
    return this.#state.name;
  }

  /** Who is there, where the option `presence` asked for it. Throws a MayflyError `key_required` otherwise. */
  get presence(): Presence {
    if (this.#state.presence === null) throw new MayflyError('key_required', 'ask for presence in the channel options');
    return this.#state.presence;
  }

  /**
   * Publishes bytes, or a text as UTF-8. Resolves when it was handed to the connection; `relay.flush()` tells when the relay has accepted or
   * refused it. `envelope` stays readable for the tenant's servers. Rejects with a MayflyError `not_connected` or `buffer_full`.
   */
  publish(data: Uint8Array | string, options: { readonly envelope?: Uint8Array } = {}): Promise<void> {
    return this.#state.publish(typeof data === 'string' ? utf8(data) : data, options.envelope ?? null);
  }

  /** Listens to an event; the returned function stops that. */
  on<Name extends keyof ChannelEvents>(name: Name, listener: (event: ChannelEvents[Name]) => void): () => void {
    return this.#state.events.on(name, listener);
  }

  /** Messages from now on. The loop ends when the channel is detached or the relay closed for good. */
  [Symbol.asyncIterator](): AsyncIterator<Message> {
    return this.#state.iterate();
  }

  /** Leaves the channel. */
  detach(): Promise<void> {
    this.#onDetach();
    return this.#state.detach();
  }
}

import type { ChannelState } from './channel-state.ts';
import { MayflyError } from './errors.ts';
import type { ListenOptions } from './events.ts';
import { bytesOf, dataOf, typeOf } from './given.ts';
import type { ChannelEvents } from './inbox.ts';
import type { Message } from './message.ts';
import { checkOptions, other } from './options.ts';
import type { Presence } from './presence.ts';

const RULES = { envelope: other };

/** A channel of a connected relay, or all that a pattern matches. Loop over it with `for await`, or listen to its events. It lasts over reconnects. */
export class Channel implements AsyncIterable<Message> {
  readonly #state: ChannelState;
  readonly #detach: () => Promise<void>;

  /** @internal */
  constructor(state: ChannelState, detach: () => Promise<void>) {
    this.#state = state;
    this.#detach = detach;
  }

  /** The name or pattern. */
  get name(): string {
    return this.#state.name;
  }

  /** Who is there, where the option `presence` asked for it. Throws a MayflyError `key_required` otherwise. */
  get presence(): Presence {
    if (this.#state.presence === null) throw new MayflyError('key_required', 'ask for presence in the channel options');
    return this.#state.presence;
  }

  /**
   * Publishes bytes, or a text as UTF-8; they are copied. Resolves when they were handed to the connection and it has room for more;
   * `relay.flush()` tells when the relay has accepted or refused them. `envelope` stays readable for the tenant's servers. Rejects with a
   * MayflyError `not_connected`, `buffer_full`, `frame_too_large` or `not_publishing`.
   */
  async publish(data: Uint8Array | string, options?: { readonly envelope?: Uint8Array }): Promise<void> {
    const { envelope } = checkOptions('publish', options, RULES);
    const beside = envelope === undefined ? null : bytesOf(envelope);
    if (beside === undefined) throw new TypeError(`expected an envelope that is a Uint8Array, got ${typeOf(envelope)}`);
    await this.#state.publish(dataOf(data), beside);
  }

  /** Listens to an event; the returned function stops that, and so does the signal. */
  on<Name extends keyof ChannelEvents>(
    name: Name,
    listener: (event: ChannelEvents[Name]) => void,
    options?: ListenOptions,
  ): () => void {
    return this.#state.on(name, listener, options);
  }

  /**
   * Messages from now on, with those that waited for the first listener or loop. Where an earlier loop was left, it begins with what that
   * did not read. The loop ends when the channel is detached or the relay closed for good. A `loss` that it alone missed bears it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    return this.#state.iterate();
  }

  /** Leaves the channel. What was published before still goes; nothing more is told. */
  detach(): Promise<void> {
    return this.#detach();
  }
}

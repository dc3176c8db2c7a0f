import { FrameType } from '../protocol/frames.ts';
import { Attachments } from './attachments.ts';
import { Channel } from './channel.ts';
import type { ChannelOptions } from './channel-options.ts';
import { Connection } from './connection.ts';
import type { ConnectionOptions } from './connection-ports.ts';
import { Events, type ListenOptions } from './events.ts';
import { errorOf } from './link.ts';
import type { ConnectionState, RelayEvents } from './relay-events.ts';

/** A relay that stays connected: reconnects, attaches again, renews its token. */
export class Relay {
  readonly #events = new Events<RelayEvents>(
    'state',
    'reconnecting',
    'reconnected',
    'renewed',
    'draining',
    'error',
    'closed',
  );
  readonly #connection: Connection;
  readonly #attachments: Attachments;

  /** @internal */
  constructor(options: ConnectionOptions) {
    this.#connection = new Connection(options, {
      events: this.#events,
      frame: (frame, link) => {
        if (!this.#attachments.receive(frame, link) && frame[0] === FrameType.ERROR)
          this.#events.emit('error', errorOf(frame));
      },
      lost: () => this.#attachments.lost(),
      returned: (link) => this.#attachments.returned(link),
      renewed: (link) => this.#attachments.renewed(link),
      ended: () => this.#attachments.end(),
    });
    this.#attachments = new Attachments(this.#connection);
  }

  /** Whether there is a connection at the moment. */
  get isConnected(): boolean {
    return this.#connection.isOpen;
  }

  /** How the connection is; each change is an event. */
  get state(): ConnectionState {
    return this.#connection.state;
  }

  /** This connection's own id, which its messages bear; another after each reconnect. */
  get sender(): number {
    return this.#connection.latest?.sender ?? 0;
  }

  /** The limits the relay told at the last connection: docs/PROTOCOL.md, section 14. */
  get limits(): Readonly<Record<string, number>> {
    return this.#connection.latest?.info.limits ?? {};
  }

  /** Listens to an event; the returned function stops that, and so does the signal. */
  on<Name extends keyof RelayEvents>(
    name: Name,
    listener: (event: RelayEvents[Name]) => void,
    options?: ListenOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /**
   * Attaches a channel by name, or every channel that a pattern matches; waits for the next connection where there is none. Messages wait
   * for the first listener or loop. Rejects with the relay's refusal (`forbidden`, `bad_channel`…), with `key_required`, `aborted`,
   * `closed`, or with `already_attached` for a name in use here.
   */
  async channel(name: string, options: ChannelOptions): Promise<Channel> {
    const state = await this.#attachments.add(name, options);
    return new Channel(state, () => this.#attachments.remove(state));
  }

  /** Resolves when the relay has accepted or refused everything published before, and what came until then was told. */
  async flush(): Promise<void> {
    for (let wait = this.#attachments.underWay; wait !== null; wait = this.#attachments.underWay) await wait;
    await this.#connection.link.request((ref) => [FrameType.PING, ref], FrameType.PONG);
    await this.#attachments.settled();
  }

  /** Puts a fresh token in force; done by itself ahead of expiry when `token` is a function. */
  async renew(): Promise<void> {
    await this.#connection.renew();
  }

  /**
   * Looks at once whether the connection still works. The SDK does so by itself where the platform tells of a change of the network or of
   * waking up; call it where only the app hears of that, as in React Native.
   */
  check(): void {
    this.#connection.check();
  }

  /** Ends the connection for good. What was published before is still sent, as far as the network takes it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** @internal */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#connection.open(signal);
  }
}

import { FrameType, type RelayFrame } from '../protocol/frames.ts';
import { Channel } from './channel.ts';
import type { ChannelOptions } from './channel-options.ts';
import { ChannelState } from './channel-state.ts';
import { Connection, type ConnectionOptions, type RelayEvents } from './connection.ts';
import { abortError, asMayflyError, MayflyError, relayClosed } from './errors.ts';
import { Events, type ListenOptions } from './events.ts';
import { Feeds } from './feeds.ts';
import { errorOf, type Link } from './link.ts';

/** A relay that stays connected: reconnects, attaches again, renews its token. */
export class Relay {
  readonly #events = new Events<RelayEvents>();
  readonly #connection: Connection;
  /** Names in use, also where the channel is still being attached for the first time. */
  readonly #names = new Set<string>();
  /** What is to be attached again after a reconnect. */
  readonly #channels = new Set<ChannelState>();
  readonly #attached = new Map<number, ChannelState>();
  readonly #feeds = new Feeds();

  /** @internal */
  constructor(options: ConnectionOptions) {
    this.#connection = new Connection(options, {
      events: this.#events,
      frame: (frame, link) => this.#receive(frame, link),
      lost: () => this.#lost(),
      returned: (link) => this.#returned(link),
      ended: () => this.#ended(),
    });
    this.#events.on('renewed', () => this.#attachAgain());
  }

  /** Whether there is a connection at the moment. */
  get isConnected(): boolean {
    return this.#connection.isOpen;
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
   * Attaches a channel by name, or every channel that a pattern matches; waits for the next connection where there is none. No message is
   * missed by listening right after. Rejects with the relay's refusal (`forbidden`, `bad_channel`…), with `key_required`, `aborted`,
   * `closed`, or with `already_attached` for a name in use here.
   */
  async channel(name: string, options: ChannelOptions): Promise<Channel> {
    if (this.#names.has(name)) throw new MayflyError('already_attached', 'this channel is in use already');
    const state = new ChannelState(name, options);
    this.#names.add(name);
    state.events.hold();
    try {
      await this.#attachSoon(state, options.signal);
    } catch (error) {
      this.#forget(state);
      throw error;
    }
    setTimeout(() => state.events.release()); // whoever awaits the channel listens by then
    return new Channel(state, () => this.#detach(state));
  }

  /** Resolves when the relay has accepted or refused everything published before, and what came until then was told. */
  async flush(): Promise<void> {
    await this.#connection.link.request((ref) => [FrameType.PING, ref]);
    await Promise.all([...this.#channels].map((state) => state.settled()));
  }

  /** Puts a fresh token in force; done by itself ahead of expiry when `token` is a function. */
  async renew(): Promise<void> {
    await this.#connection.renew();
  }

  /** Ends the connection for good. What was published before is still sent, as far as the network takes it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  /** @internal */
  async open(signal?: AbortSignal): Promise<void> {
    await this.#connection.open(signal);
  }

  async #attachSoon(state: ChannelState, signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const link = await this.#connection.soon(signal);
      try {
        await state.attach(link, (frame) => this.#adopt(state, frame[2], frame[4]));
      } catch (error) {
        if (link.isOpen || asMayflyError(error).code !== 'not_connected') throw error;
        continue; // lost meanwhile: the next one
      }
      if (signal?.aborted !== true) return;
      await this.#detach(state);
      throw abortError(signal);
    }
  }

  #adopt(state: ChannelState, id: number, seq: number): void {
    this.#channels.add(state);
    this.#attached.set(id, state);
    this.#feeds.join(state);
    if (!state.isPattern) this.#feeds.open(id, state.name, seq);
  }

  #receive(frame: RelayFrame, link: Link): void {
    switch (frame[0]) {
      case FrameType.MESSAGE:
        this.#feeds.message(frame, link.sender);
        return;
      case FrameType.HEAD:
        this.#feeds.head(frame[1], frame[2], frame[3]);
        return;
      case FrameType.NAMED:
        this.#feeds.open(frame[1], frame[2], frame[3]);
        return;
      case FrameType.LEFT:
      case FrameType.OCCUPANCY:
        this.#attached.get(frame[1])?.receive(frame);
        return;
      case FrameType.DETACHED:
        this.#detached(frame[2], frame);
        return;
      case FrameType.ERROR: {
        const state = frame[5] === null ? undefined : this.#attached.get(frame[5]);
        if (state === undefined) this.#events.emit('error', errorOf(frame));
        else state.receive(frame);
      }
    }
  }

  /** The relay ended an attachment, or a channel that only patterns reached. */
  #detached(id: number, frame: RelayFrame): void {
    const state = this.#attached.get(id);
    if (state === undefined) {
      this.#feeds.close(id);
      return;
    }
    this.#attached.delete(id);
    this.#feeds.leave(state);
    state.receive(frame);
  }

  #lost(): void {
    this.#attached.clear();
    this.#feeds.disconnected();
    for (const state of this.#channels) state.lost();
  }

  async #returned(link: Link): Promise<void> {
    const attaching = [...this.#channels].map(async (state) => {
      try {
        await state.attach(link, (frame) => this.#adopt(state, frame[2], frame[4]));
      } catch (error) {
        if (link.isOpen) state.events.emit('error', asMayflyError(error));
      }
    });
    await Promise.all(attaching);
    await link.request((ref) => [FrameType.PING, ref]); // every NAMED has come as well
    this.#feeds.settled();
  }

  /** Under a new token, tries what an older one no longer covered; where it still does not, nothing changes. */
  #attachAgain(): void {
    for (const state of this.#channels) {
      if (!state.isDetached) continue;
      state.attach(this.#connection.link, (frame) => this.#adopt(state, frame[2], frame[4])).catch(() => {});
    }
  }

  async #detach(state: ChannelState): Promise<void> {
    const { channelId } = state;
    const isAttached = this.#attached.get(channelId) === state;
    this.#forget(state);
    state.end(() => new MayflyError('detached', 'the channel was left'));
    if (!isAttached || !this.#connection.isOpen) return;
    await this.#connection.link.request((ref) => [FrameType.DETACH, ref, channelId]).catch(() => {}); // gone with the link
  }

  #forget(state: ChannelState): void {
    this.#names.delete(state.name);
    this.#channels.delete(state);
    this.#attached.delete(state.channelId);
    this.#feeds.leave(state);
  }

  #ended(): void {
    for (const state of this.#channels) state.end(relayClosed);
  }
}

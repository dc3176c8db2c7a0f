import { FrameType, type RelayFrame } from '../protocol/frames.ts';
import { type BackoffOptions, backoffMs, mayReconnect, needsFreshToken } from './backoff.ts';
import { Channel } from './channel.ts';
import type { ChannelOptions } from './channel-options.ts';
import { ChannelState } from './channel-state.ts';
import { MayflyError } from './errors.ts';
import { Events } from './events.ts';
import { errorOf, Link, type SocketFactory } from './link.ts';

/** A token, or how to get one: asked at each connection and for each renewal. */
export type TokenSource = string | (() => string | Promise<string>);

/** How to connect. */
export interface ConnectOptions {
  readonly token: TokenSource;
  /** Opens WebSockets; default the global one (in Node, that of the `ws` package). */
  readonly socket?: SocketFactory;
  readonly backoff?: BackoffOptions;
  /** Gives up connecting for the first time. */
  readonly signal?: AbortSignal;
}

/** What a relay tells the app. */
export interface RelayEvents {
  /** The connection broke; the next attempt comes after `inMs`. */
  reconnecting: { readonly inMs: number; readonly code: number };
  /** Connected again, and every channel attached or told why not. */
  reconnected: { readonly isSameRelay: boolean };
  /** A fresh token is in force until `expiry`, seconds since 1970. */
  renewed: { readonly expiry: number };
  /** The relay is about to stop; the connection will move by itself. */
  draining: { readonly reconnectInMs: number };
  /** Something failed that the SDK goes on from, such as a renewal. */
  error: MayflyError;
  /** It is over: by `close()` (no error), or because coming back is no use. */
  closed: { readonly error: MayflyError | undefined };
}

/** A relay that stays connected: reconnects, attaches again, renews its token. */
export class Relay {
  readonly #url: string;
  readonly #options: ConnectOptions;
  readonly #socket: SocketFactory;
  readonly #events = new Events<RelayEvents>();
  readonly #channels = new Map<string, ChannelState>();
  readonly #byId = new Map<number, ChannelState>();
  #link: Link | undefined;
  #isClosed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @internal */
  constructor(url: string, options: ConnectOptions, socket: SocketFactory) {
    this.#url = url;
    this.#options = options;
    this.#socket = socket;
  }

  /** Whether there is a connection at the moment. */
  get isConnected(): boolean {
    return this.#link?.isOpen === true;
  }

  /** The limits the relay told at the last connection: docs/PROTOCOL.md, section 14. */
  get limits(): Readonly<Record<string, number>> {
    return this.#link?.info.limits ?? {};
  }

  /** Listens to an event; the returned function stops that. */
  on<Name extends keyof RelayEvents>(name: Name, listener: (event: RelayEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Attaches a channel by name. Rejects with the relay's refusal (`forbidden`, `bad_channel`…), with `key_required`, or with
   * `already_attached` for a name in use here.
   */
  async channel(name: string, options: ChannelOptions): Promise<Channel> {
    if (this.#channels.has(name)) throw new MayflyError('already_attached', 'this channel is in use already');
    const state = new ChannelState(name, options);
    this.#channels.set(name, state);
    try {
      await state.attach(this.#connected(), this.#adopt);
    } catch (error) {
      this.#channels.delete(name);
      throw error;
    }
    return new Channel(state, () => this.#forget(state));
  }

  /** Resolves when the relay has accepted or refused everything published before, and what came back was read. */
  async flush(): Promise<void> {
    await this.#connected().request((ref) => [FrameType.PING, ref]);
  }

  /** Puts a fresh token in force; done by itself ahead of expiry when `token` is a function. */
  async renew(): Promise<void> {
    const link = this.#connected();
    const token = await this.#token();
    const frame = await link.request((ref) => [FrameType.RENEW, ref, token]);
    if (frame[0] === FrameType.RENEWED) this.#events.emit('renewed', { expiry: frame[2] });
  }

  /** Ends the connection for good. */
  close(): void {
    this.#end(undefined);
  }

  /** @internal */
  async open(signal?: AbortSignal): Promise<void> {
    this.#link = await Link.open(
      this.#socket,
      this.#url,
      await this.#token(),
      { frame: (frame) => this.#receive(frame), closed: (code, reason) => this.#lost(code, reason) },
      signal,
    );
  }

  readonly #adopt = (channelId: number, state: ChannelState): void => {
    this.#byId.set(channelId, state);
  };

  #receive(frame: RelayFrame): void {
    switch (frame[0]) {
      case FrameType.MESSAGE:
      case FrameType.HEAD:
      case FrameType.LEFT:
      case FrameType.OCCUPANCY:
        this.#byId.get(frame[1])?.receive(frame);
        return;
      case FrameType.DETACHED:
        this.#byId.get(frame[2])?.receive(frame);
        return;
      case FrameType.ERROR: {
        const state = frame[5] === null ? undefined : this.#byId.get(frame[5]);
        if (state === undefined) this.#events.emit('error', errorOf(frame));
        else state.receive(frame);
        return;
      }
      case FrameType.EXPIRING:
        if (typeof this.#options.token === 'function') this.renew().catch((error: unknown) => this.#failed(error));
        return;
      case FrameType.GOAWAY:
        this.#events.emit('draining', { reconnectInMs: frame[1] });
    }
  }

  #lost(code: number, reason: string): void {
    if (this.#isClosed) return;
    this.#byId.clear();
    for (const state of this.#channels.values()) state.lost();
    const ended = new MayflyError('connection_failed', reason || `the connection ended (${code})`, { closeCode: code });
    if (this.#mayReturn(code)) this.#retry(0, code);
    else this.#end(ended);
  }

  #mayReturn(code: number): boolean {
    return mayReconnect(code) && !(needsFreshToken(code) && typeof this.#options.token === 'string');
  }

  #retry(attempt: number, code: number): void {
    const inMs = backoffMs(attempt, this.#options.backoff);
    this.#events.emit('reconnecting', { inMs, code });
    this.#timer = setTimeout(() => this.#reconnect(attempt + 1), inMs);
  }

  async #reconnect(attempt: number): Promise<void> {
    const boot = this.#link?.info.boot;
    try {
      await this.open();
    } catch (error) {
      const failure = this.#failed(error);
      const code = failure.closeCode ?? 0;
      if (this.#isClosed) return;
      if (failure.code === 'token_failed' || this.#mayReturn(code)) this.#retry(attempt, code);
      else this.#end(failure);
      return;
    }
    if (this.#isClosed) {
      this.#link?.close();
      return;
    }
    const link = this.#connected();
    const attaching = [...this.#channels.values()].map((state) =>
      state.attach(link, this.#adopt).catch((error: unknown) => state.events.emit('error', asMayflyError(error))),
    );
    await Promise.all(attaching);
    if (link.isOpen) this.#events.emit('reconnected', { isSameRelay: boot === link.info.boot });
  }

  async #token(): Promise<string> {
    const { token } = this.#options;
    if (typeof token === 'string') return token;
    try {
      return await token();
    } catch (error) {
      throw new MayflyError('token_failed', 'the token function failed', { cause: error });
    }
  }

  #connected(): Link {
    if (this.#isClosed) throw new MayflyError('closed', 'the relay was closed');
    if (this.#link?.isOpen !== true) throw new MayflyError('not_connected', 'there is no connection at the moment');
    return this.#link;
  }

  #failed(error: unknown): MayflyError {
    const failure = asMayflyError(error);
    this.#events.emit('error', failure);
    return failure;
  }

  #forget(state: ChannelState): void {
    this.#channels.delete(state.name);
    this.#byId.delete(state.channelId);
  }

  #end(error: MayflyError | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#link?.close();
    for (const state of this.#channels.values()) state.end();
    this.#events.emit('closed', { error });
  }
}

function asMayflyError(error: unknown): MayflyError {
  return error instanceof MayflyError
    ? error
    : new MayflyError('connection_failed', 'the connection failed', { cause: error });
}

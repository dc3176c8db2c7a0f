import { FrameType, type RelayFrame } from '../protocol/frames.ts';
import { type BackoffOptions, backoffMs } from './backoff.ts';
import { nowMs } from './clock.ts';
import { isTokenRefused, mayReconnect, needsFreshToken } from './close-rules.ts';
import { abortError, asMayflyError, MayflyError, notConnected, relayClosed } from './errors.ts';
import type { Events } from './events.ts';
import { openLink } from './handshake.ts';
import type { Link } from './link.ts';
import { onOnline } from './online.ts';
import { MAX_NUMBER } from './options.ts';
import { delay } from './patience.ts';
import { Renewal } from './renewal.ts';
import type { SocketFactory } from './socket.ts';
import { type TokenReason, type TokenSource, Tokens } from './tokens.ts';

/** What a relay tells the app of its connection. */
export interface RelayEvents {
  /** The connection broke; the next attempt comes after `inMs`. `code` is the close code, 1006 where there was none. */
  reconnecting: { readonly inMs: number; readonly code: number };
  /** Connected again, and every channel attached or told why not. */
  reconnected: { readonly isSameRelay: boolean };
  /** A fresh token is in force until `expiry`, seconds since 1970. */
  renewed: { readonly expiry: number };
  /** The relay is about to stop; the connection will move by itself after `reconnectInMs`. */
  draining: { readonly reconnectInMs: number };
  /** Something failed that the SDK goes on from, such as a renewal or an attempt to come back. */
  error: MayflyError;
  /** It is over: by `close()` (no error), or because coming back is no use. */
  closed: { readonly error: MayflyError | undefined };
}

/** How to reach a relay, and how patiently. */
export interface ConnectionOptions {
  readonly url: string;
  readonly token: TokenSource;
  readonly socket: SocketFactory;
  readonly backoff: BackoffOptions;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
}

/** What the owner of a connection does. */
export interface ConnectionOwner {
  readonly events: Events<RelayEvents>;
  /** Takes a frame that is not about the connection. */
  frame(frame: RelayFrame, link: Link): void;
  /** Takes note that the link is gone. */
  lost(): void;
  /** Attaches everything again, as far as the relay permits. Never rejects. */
  returned(link: Link): Promise<void>;
  /** A fresh token is in force on the link. */
  renewed(link: Link): void;
  /** Takes note that there will be no other link. */
  ended(): void;
}

/** A link that lasted this long was a good one: the waits begin anew. */
const STABLE_MS = 10_000;
const NO_CLOSE_CODE = 1006;

/** A connection that comes back: with growing random waits, at once when the network is there again, after GOAWAY at its time. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #ending = new AbortController();
  readonly #tokens: Tokens;
  readonly #renewal: Renewal;
  readonly #waiting = new Set<() => void>();
  #link: Link | undefined;
  #attempt = 0;
  #cancelRetry: () => void = () => {};
  #goAway: { readonly atMs: number; readonly timer: ReturnType<typeof setTimeout> } | undefined;

  constructor(options: ConnectionOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    const tokens = new Tokens(options.token, this.#ending.signal);
    this.#tokens = tokens;
    const denied = (error: MayflyError): void => void this.close(error);
    this.#renewal = new Renewal({ tokens, backoff: options.backoff, owner, denied });
  }

  /** The open link. Throws a MayflyError `not_connected` or `closed`. */
  get link(): Link {
    if (this.isClosed) throw relayClosed();
    if (this.#link?.isOpen !== true) throw notConnected();
    return this.#link;
  }

  /** Whether it has ended for good. */
  get isClosed(): boolean {
    return this.#ending.signal.aborted;
  }

  get isOpen(): boolean {
    return !this.isClosed && this.#link?.isOpen === true;
  }

  /** The latest link, open or not. */
  get latest(): Link | undefined {
    return this.#link;
  }

  /** The link, as soon as there is one. Rejects with `closed` or `aborted`. */
  async soon(signal?: AbortSignal): Promise<Link> {
    for (;;) {
      if (signal?.aborted === true) throw abortError(signal);
      if (this.isOpen || this.isClosed) return this.link;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        signal?.addEventListener('abort', wake, { once: true });
      });
    }
  }

  /**
   * Connects for the first time, and once more when the relay refuses the token and there may be another. Rejects as `openLink` and
   * `Tokens.read` do; it is over then.
   */
  async open(signal?: AbortSignal): Promise<void> {
    const abort = (): void => this.#ending.abort();
    signal?.addEventListener('abort', abort);
    try {
      if (signal?.aborted === true) throw abortError(signal);
      await this.#connect({ reason: 'connect' }).catch((error: MayflyError) => this.#connectAgain(error));
    } catch (error) {
      this.#ending.abort();
      throw signal?.aborted === true ? abortError(signal) : error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Puts a fresh token in force. */
  renew(): Promise<void> {
    return this.#renewal.renew(this.link, { reason: 'renew' });
  }

  /** Ends the connection for good, after what was sent. */
  async close(error?: MayflyError): Promise<void> {
    if (this.isClosed) return;
    this.#ending.abort();
    this.#cancelRetry();
    clearTimeout(this.#goAway?.timer);
    const closing = this.#link?.close();
    this.#owner.ended();
    for (const wake of [...this.#waiting]) wake();
    this.#owner.events.emit('closed', { error });
    this.#owner.events.end();
    await closing;
  }

  async #connectAgain(error: MayflyError): Promise<Link> {
    if (!this.#tokens.areMany || !isTokenRefused(error.closeCode)) throw error;
    await delay(backoffMs(0, this.#options.backoff), this.#ending.signal);
    return this.#connect({ reason: 'refused', code: error.code });
  }

  async #connect(reason: TokenReason): Promise<Link> {
    const { signal } = this.#ending;
    const events = {
      frame: (frame: RelayFrame, from: Link) => this.#frame(frame, from),
      closed: (error: MayflyError) => this.#lost(error),
    };
    try {
      const token = await this.#tokens.read(reason, signal);
      this.#link = await openLink({ ...this.#options, token, signal }, events);
    } catch (error) {
      throw asMayflyError(error);
    }
    for (const wake of [...this.#waiting]) wake();
    return this.#link;
  }

  #frame(frame: RelayFrame, link: Link): void {
    if (this.isClosed) return;
    if (frame[0] === FrameType.EXPIRING) void this.#renewal.expiring(link, frame[1]);
    else if (frame[0] === FrameType.GOAWAY) this.#goingAway(link, frame[1]);
    else this.#owner.frame(frame, link);
  }

  #goingAway(link: Link, reconnectInMs: number): void {
    clearTimeout(this.#goAway?.timer);
    const gone = new MayflyError('going_away', 'the relay stops', { closeCode: 4000 });
    const inMs = Math.min(reconnectInMs, MAX_NUMBER);
    this.#goAway = { atMs: nowMs() + inMs, timer: setTimeout(() => link.end(gone), inMs) };
    this.#owner.events.emit('draining', { reconnectInMs: inMs });
  }

  #lost(error: MayflyError): void {
    if (this.isClosed) return;
    this.#owner.lost();
    if (nowMs() - (this.#link?.openedAtMs ?? 0) > STABLE_MS) this.#attempt = 0;
    clearTimeout(this.#goAway?.timer);
    const goAwayInMs = this.#goAway === undefined ? undefined : Math.max(0, this.#goAway.atMs - nowMs());
    this.#goAway = undefined;
    const waitMs = backoffMs(this.#attempt, this.#options.backoff);
    if (goAwayInMs === undefined) this.#comeBack(error, waitMs);
    else this.#comeBack(error, this.#attempt === 0 ? goAwayInMs : Math.max(goAwayInMs, waitMs)); // a relay may say it again and again
  }

  /** Tries again later, unless that is no use. */
  #comeBack(error: MayflyError, inMs: number): void {
    const code = error.closeCode ?? NO_CLOSE_CODE;
    const isWelcome = needsFreshToken(code) ? this.#tokens.areMany : mayReconnect(code);
    if (!isWelcome || error.code === 'token_denied') {
      void this.close(error);
      return;
    }
    this.#attempt++;
    const retry = (): void => {
      this.#cancelRetry();
      void this.#reconnect({ reason: isTokenRefused(code) ? 'refused' : 'reconnect', code: error.code });
    };
    const timer = setTimeout(retry, inMs);
    const stopListening = onOnline(retry);
    this.#cancelRetry = () => {
      clearTimeout(timer);
      stopListening();
    };
    this.#owner.events.emit('reconnecting', { inMs, code });
  }

  async #reconnect(reason: TokenReason): Promise<void> {
    const boot = this.#link?.info.boot;
    let link: Link;
    try {
      link = await this.#connect(reason);
    } catch (thrown) {
      const error = asMayflyError(thrown);
      if (this.isClosed) return;
      this.#owner.events.emit('error', error);
      if (!this.isClosed) this.#comeBack(error, backoffMs(this.#attempt, this.#options.backoff));
      return;
    }
    await this.#owner.returned(link);
    if (link.isOpen) this.#owner.events.emit('reconnected', { isSameRelay: boot === link.info.boot });
  }
}

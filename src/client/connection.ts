import { FrameType, type RelayFrame } from '../protocol/frames.ts';
import { backoffMs, firstWaitMs } from './backoff.ts';
import { nowMs } from './clock.ts';
import { isTokenRefused, mayReconnect, needsFreshToken } from './close-rules.ts';
import type { ConnectionOptions, ConnectionOwner } from './connection-ports.ts';
import { abortError, asMayflyError, type MayflyError, NO_CLOSE_CODE, notConnected, relayClosed } from './errors.ts';
import { openLink } from './handshake.ts';
import type { Link } from './link.ts';
import { delay } from './patience.ts';
import type { ConnectionState } from './relay-events.ts';
import { Renewal } from './renewal.ts';
import { Signs } from './signs.ts';
import { type TokenReason, Tokens } from './tokens.ts';

/** A link that lasted this long was a good one: the waits begin anew. */
const STABLE_MS = 10_000;
/** No relay takes longer to stop: `drainTimeoutMs`. */
const MAX_GO_AWAY_MS = 3_600_000;
/** Ahead of GOAWAY's time, when the relay closes, to be gone by then; at most half of it. */
const LEAD_MS = 500;
/** An attempt that is older than this when the network changes is begun anew. */
const FRESH_MS = 1000;

/** A connection that comes back: with growing random waits, at once when the network is there again; and that moves at GOAWAY. */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  readonly #ending = new AbortController();
  readonly #tokens: Tokens;
  readonly #renewal: Renewal;
  readonly #signs = new Signs((mayBeBack) => this.#sign(mayBeBack));
  readonly #waiting = new Set<() => void>();
  #state: ConnectionState = 'connecting';
  #link: Link | undefined;
  /** Attempts since the latest link that lasted. */
  #attempt = 0;
  /** The attempt under way to get another link, and since when. */
  #trying: { readonly stop: AbortController; readonly sinceMs: number } | undefined;
  /** Why the next one asks for a token. */
  #reason: TokenReason = { reason: 'reconnect' };
  #next: ReturnType<typeof setTimeout> | undefined;
  #goAwayAtMs: number | undefined;

  constructor(options: ConnectionOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    const tokens = new Tokens(options.token, this.#ending.signal);
    this.#tokens = tokens;
    const denied = (error: MayflyError): void => void this.close(error);
    const failed = (error: MayflyError): void => owner.events.emit('error', error);
    const renewed = (link: Link, expiry: number): void => {
      owner.renewed(link);
      owner.events.emit('renewed', { expiry });
    };
    this.#renewal = new Renewal({ tokens, backoff: options.backoff, renewed, failed, denied });
  }

  get state(): ConnectionState {
    return this.#state;
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
    const until = this.#ending.signal;
    signal?.addEventListener('abort', abort);
    try {
      if (signal?.aborted === true) throw abortError(signal);
      await this.#connect({ reason: 'connect' }, until).catch((error: MayflyError) => this.#connectAgain(error, until));
      this.#signs.start();
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

  /** Looks whether the link still leads anywhere; without one, and where that may help, tries to get one at once. Seldom enough. */
  check(): void {
    if (!this.isClosed) this.#signs.sign(true);
  }

  /** Ends the connection for good, after what was sent. */
  async close(error?: MayflyError): Promise<void> {
    if (this.isClosed) return;
    this.#ending.abort();
    this.#trying?.stop.abort();
    this.#signs.stop();
    clearTimeout(this.#next);
    const closing = this.#link?.close();
    this.#owner.ended();
    this.#wake();
    this.#become('closed');
    this.#owner.events.emit('closed', { error });
    this.#owner.events.end();
    await closing;
  }

  async #connectAgain(error: MayflyError, signal: AbortSignal): Promise<Link> {
    if (!this.#tokens.areMany || !isTokenRefused(error.closeCode)) throw error;
    await delay(firstWaitMs(this.#options.backoff), signal);
    return this.#connect({ reason: 'refused', code: error.code }, signal);
  }

  async #connect(reason: TokenReason, signal: AbortSignal): Promise<Link> {
    const events = {
      opened: (link: Link) => this.#adopt(link),
      frame: (frame: RelayFrame, link: Link) => this.#frame(frame, link),
      checking: (isChecking: boolean, link: Link) => {
        if (link === this.#link) this.#become(isChecking ? 'checking' : 'connected');
      },
      closed: (error: MayflyError, link: Link) => this.#lost(error, link),
    };
    try {
      const token = await this.#tokens.read(reason, signal);
      return await openLink({ ...this.#options, token, signal }, events);
    } catch (error) {
      throw asMayflyError(error);
    }
  }

  /** Goes on over another link. Where there is one still, everything moves. */
  #adopt(link: Link): void {
    const before = this.#link;
    this.#link = link;
    this.#trying = undefined;
    this.#goAwayAtMs = undefined;
    clearTimeout(this.#next);
    if (before?.isOpen === true) {
      this.#owner.lost();
      void before.leave();
    }
    this.#become('connected');
    this.#wake();
  }

  #frame(frame: RelayFrame, link: Link): void {
    if (this.isClosed || link !== this.#link) return;
    if (frame[0] === FrameType.EXPIRING) void this.#renewal.expiring(link, frame[1]);
    else if (frame[0] === FrameType.GOAWAY) this.#goingAway(frame[1]);
    else this.#owner.frame(frame, link);
  }

  /** Plans to move. A relay that says it again can only hasten that. */
  #goingAway(reconnectInMs: number): void {
    const inMs = Math.min(reconnectInMs, MAX_GO_AWAY_MS);
    const atMs = nowMs() + inMs;
    const isFirst = this.#goAwayAtMs === undefined;
    if (!isFirst && atMs >= Number(this.#goAwayAtMs)) return;
    this.#goAwayAtMs = atMs;
    this.#reason = { reason: 'reconnect', code: 'going_away' };
    if (this.#trying === undefined) this.#plan(Math.max(inMs - Math.min(LEAD_MS, inMs / 2), this.#calmMs()));
    if (isFirst) this.#owner.events.emit('draining', { reconnectInMs: inMs });
  }

  #lost(error: MayflyError, link: Link): void {
    if (this.isClosed || link !== this.#link) return;
    this.#owner.lost();
    const goAwayInMs = this.#goAwayAtMs === undefined ? undefined : Math.max(0, this.#goAwayAtMs - nowMs());
    const calmMs = this.#calmMs();
    if (goAwayInMs !== undefined) this.#comeBack(error, Math.max(goAwayInMs, calmMs));
    else this.#comeBack(error, calmMs || firstWaitMs(this.#options.backoff));
  }

  #sign(mayBeBack: boolean): void {
    if (this.isOpen) this.#link?.probe();
    else if (this.isClosed || !mayBeBack) return;
    else if (this.#trying === undefined) void this.#try();
    else if (nowMs() - this.#trying.sinceMs > FRESH_MS) this.#trying.stop.abort();
  }

  /** How long to wait at least for another link: 0 when the latest one lasted. */
  #calmMs(): number {
    if (nowMs() - (this.#link?.openedAtMs ?? 0) > STABLE_MS) this.#attempt = 0;
    return this.#attempt === 0 ? 0 : this.#backoffMs();
  }

  /** Tries again later, unless that is no use, or an attempt is under way. */
  #comeBack(error: MayflyError, inMs: number): void {
    const code = error.closeCode ?? NO_CLOSE_CODE;
    const isWelcome = needsFreshToken(code) ? this.#tokens.areMany : mayReconnect(code);
    if (!isWelcome || error.code === 'token_denied') {
      void this.close(error);
      return;
    }
    this.#reason = { reason: isTokenRefused(code) ? 'refused' : 'reconnect', code: error.code };
    const isTrying = this.#trying !== undefined;
    if (!isTrying) this.#plan(inMs);
    this.#become(isTrying ? 'connecting' : 'waiting');
    this.#owner.events.emit('reconnecting', { inMs: isTrying ? 0 : inMs, code });
  }

  #plan(inMs: number): void {
    clearTimeout(this.#next);
    this.#next = setTimeout(() => void this.#try(), inMs);
  }

  /** Gets another link, be it that there is none, or that the one there is will not last. */
  async #try(): Promise<void> {
    const stop = new AbortController();
    const boot = this.#link?.info.boot;
    clearTimeout(this.#next);
    this.#trying = { stop, sinceMs: nowMs() };
    this.#attempt++;
    if (!this.isOpen) this.#become('connecting');
    let link: Link;
    try {
      link = await this.#connect(this.#reason, stop.signal);
    } catch (error) {
      this.#trying = undefined;
      this.#failed(error as MayflyError, stop.signal.aborted); // `#connect` throws no others
      return;
    }
    await this.#owner.returned(link);
    if (link.isOpen) this.#owner.events.emit('reconnected', { isSameRelay: boot === link.info.boot });
  }

  #failed(error: MayflyError, isStopped: boolean): void {
    if (this.isClosed) return;
    if (isStopped) {
      void this.#try();
      return;
    }
    this.#owner.events.emit('error', error);
    if (this.isClosed) return;
    const isLost = this.#link?.over.aborted !== false; // not so while it is closing: its end is still to be told
    if (!isLost && error.code !== 'token_denied') this.#plan(this.#backoffMs());
    else this.#comeBack(error, this.#backoffMs());
  }

  #backoffMs(): number {
    return backoffMs(this.#attempt - 1, this.#options.backoff);
  }

  #become(state: ConnectionState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#owner.events.emit('state', state);
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

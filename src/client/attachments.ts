import { FrameType, type RelayFrame } from '../protocol/frames.ts';
import { backoffMs } from './backoff.ts';
import type { ChannelOptions } from './channel-options.ts';
import { ChannelState } from './channel-state.ts';
import type { Connection } from './connection.ts';
import { abortError, asMayflyError, MayflyError, relayClosed } from './errors.ts';
import { Feeds } from './feeds.ts';
import type { Link } from './link.ts';
import { delay, within } from './patience.ts';
import { Turns } from './turns.ts';

const PACE_MS = 1000;

/** The channels and patterns that an app uses, attached on one link after the other. For each name one request at a time is under way. */
export class Attachments {
  readonly #connection: Connection;
  readonly #names = new Map<string, ChannelState>();
  readonly #byId = new Map<number, ChannelState>();
  readonly #turns = new Turns();
  readonly #leaving = new WeakMap<ChannelState, Promise<void>>();
  /** Those attached for the first time whose signal can give them up. */
  readonly #attaching = new Map<ChannelState, AbortSignal>();
  readonly #feeds = new Feeds();
  #returning: Promise<void> | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Attaches for the first time, on the next link if there is none. Rejects with the relay's refusal, `aborted` or `closed`. */
  async add(name: string, options: ChannelOptions): Promise<ChannelState> {
    if (this.#connection.isClosed) throw relayClosed();
    const state = new ChannelState(name, options);
    const { signal } = options;
    this.#freeGivenUp(name);
    if (this.#names.has(name)) throw new MayflyError('already_attached', 'this channel is in use already');
    this.#names.set(name, state);
    if (signal !== undefined) this.#attaching.set(state, signal);
    try {
      const attaching = this.#turns.take(name, () => this.#attachSoon(state, signal));
      await within(attaching, { signal }, () => abortError(signal as AbortSignal)); // late only by the signal
      if (signal?.aborted === true) throw abortError(signal);
      if (this.#connection.isClosed) throw relayClosed();
    } catch (error) {
      this.remove(state).catch(() => {});
      throw error;
    } finally {
      this.#attaching.delete(state);
    }
    return state;
  }

  /** Ends a channel, and detaches it once nothing else of its name is under way. Its name is free at once. */
  remove(state: ChannelState): Promise<void> {
    const leaving = this.#leaving.get(state);
    if (leaving !== undefined) return leaving;
    if (this.#names.get(state.name) === state) this.#names.delete(state.name);
    state.end(() => new MayflyError('detached', 'the channel was left'));
    const detaching = this.#turns.take(state.name, () => this.#detach(state));
    this.#leaving.set(state, detaching);
    return detaching;
  }

  /** Takes a frame; false when it is about no channel. */
  receive(frame: RelayFrame, link: Link): boolean {
    switch (frame[0]) {
      case FrameType.MESSAGE:
        this.#feeds.message(frame, link.sender);
        return true;
      case FrameType.HEAD:
        this.#feeds.head(frame[1], frame[2], frame[3]);
        return true;
      case FrameType.NAMED:
        if (!this.#feeds.named(frame[1], frame[2], frame[3])) this.#overrun(frame[2], link);
        return true;
      case FrameType.LEFT:
      case FrameType.OCCUPANCY:
        this.#byId.get(frame[1])?.receive(frame);
        return true;
      case FrameType.DETACHED:
        this.#detached(frame[2], frame);
        return true;
      case FrameType.ERROR: {
        const state = frame[5] === null ? undefined : this.#byId.get(frame[5]);
        state?.receive(frame);
        return state !== undefined;
      }
      default:
        return false;
    }
  }

  /** The link is gone. */
  lost(): void {
    this.#byId.clear();
    this.#feeds.disconnected();
    for (const state of this.#names.values()) state.lost();
  }

  /** Attaches everything on a new link, no faster than it permits; what is refused for the moment is tried again later. */
  returned(link: Link): Promise<void> {
    const returning = this.#return(link).finally(() => {
      if (this.#returning === returning) this.#returning = null;
    });
    this.#returning = returning;
    return returning;
  }

  /** Under a new token, tries what an older one no longer covered; where it still does not, nothing changes. */
  renewed(link: Link): void {
    for (const state of this.#names.values()) void this.#attachLater(state, link, () => {});
  }

  /** Something that has to end before all that was published is on its way; null when it is. */
  get underWay(): Promise<unknown> | null {
    if (this.#returning !== null) return this.#returning;
    const catchingUp = [...this.#names.values()].flatMap((state) => state.catchingUp ?? []);
    return catchingUp.length === 0 ? null : Promise.all(catchingUp);
  }

  /** Resolves when everything that came before was told to the app. */
  async settled(): Promise<void> {
    await Promise.all([...this.#names.values()].map((state) => state.settled()));
  }

  /** There will be no other link. */
  end(): void {
    for (const state of this.#names.values()) state.end(relayClosed);
  }

  /** Lets go of a name whose signal has given it up, though the promise that tells of it has not been rejected yet. */
  #freeGivenUp(name: string): void {
    const holder = this.#names.get(name);
    if (holder !== undefined && this.#attaching.get(holder)?.aborted === true) this.remove(holder).catch(() => {});
  }

  async #return(link: Link): Promise<void> {
    const states = [...this.#names.values()];
    const pace = Math.max(1, link.info.limits.framesPerSecond ?? states.length);
    for (let start = 0; start < states.length; start += pace) {
      if (start > 0) await delay(PACE_MS, link.over);
      const refused = (state: ChannelState) => (error: MayflyError) => {
        state.fail(error);
        if (isPassing(error)) void this.#tryLater(state, link, 0);
      };
      const group = states.slice(start, start + pace);
      await Promise.all(group.map((state) => this.#attachAgain(state, link, refused(state))));
    }
    await this.#settle(link);
  }

  /** Has those who are attached again told of the channels that they have not met: by the PONG every NAMED has come. */
  async #settle(link: Link): Promise<void> {
    await link.request((ref) => [FrameType.PING, ref], FrameType.PONG).catch(() => {});
    if (link.isOpen) this.#feeds.settled();
  }

  async #tryLater(state: ChannelState, link: Link, attempt: number): Promise<void> {
    await delay(PACE_MS + backoffMs(attempt), link.over);
    await this.#attachLater(state, link, (error) => {
      if (isPassing(error)) void this.#tryLater(state, link, attempt + 1);
      else state.fail(error);
    });
  }

  async #attachLater(state: ChannelState, link: Link, onRefused: (error: MayflyError) => void): Promise<void> {
    await this.#attachAgain(state, link, onRefused);
    if (this.#feeds.isSettling) await this.#settle(link);
  }

  #attachAgain(state: ChannelState, link: Link, onRefused: (error: MayflyError) => void): Promise<void> {
    return this.#turns.take(state.name, async () => {
      if (state.isOver || !link.isOpen || this.#isAttached(state)) return;
      try {
        await this.#attach(state, link);
      } catch (thrown) {
        if (state.isOver || !link.isOpen) return;
        const error = asMayflyError(thrown);
        state.refused(error);
        onRefused(error);
      }
    });
  }

  async #attachSoon(state: ChannelState, signal: AbortSignal | undefined): Promise<void> {
    while (!state.isOver) {
      const link = await this.#connection.soon(signal);
      if (state.isOver) return; // given up meanwhile
      try {
        await this.#attach(state, link);
        return;
      } catch (error) {
        if (link.isOpen) throw error; // else the next one
      }
    }
  }

  #attach(state: ChannelState, link: Link): Promise<void> {
    return state.attach(link, ([, , id, , seq]) => {
      if (this.#byId.has(id)) throw new TypeError('an id of two channels');
      this.#byId.set(id, state);
      this.#feeds.join(state);
      if (!state.isPattern) this.#feeds.open(id, state.name, seq);
    });
  }

  async #detach(state: ChannelState): Promise<void> {
    const { channelId } = state;
    const link = this.#connection.latest;
    // It is still one of those that a channel is heard for until the relay agrees: a pattern may be about to hear it as well.
    const leave = (): void => {
      this.#feeds.leave(state);
      if (this.#isAttached(state)) this.#byId.delete(channelId);
    };
    if (link?.isOpen === true && this.#isAttached(state)) await this.#askToDetach(link, channelId, leave);
    leave();
  }

  /** Asks for DETACH, until it is not the rate alone that it is refused for. */
  async #askToDetach(link: Link, channelId: number, onDetached = (): void => {}): Promise<void> {
    for (let attempt = 0; link.isOpen; attempt++) {
      try {
        await link.request((ref) => [FrameType.DETACH, ref, channelId], FrameType.DETACHED, onDetached);
        return;
      } catch (error) {
        if (!isPassing(asMayflyError(error))) return;
        await delay(PACE_MS + backoffMs(attempt), link.over);
      }
    }
  }

  /** The relay ended an attachment, or a channel that only patterns reached. */
  #detached(id: number, frame: RelayFrame): void {
    const state = this.#byId.get(id);
    if (state === undefined) {
      this.#feeds.close(id);
      return;
    }
    this.#byId.delete(id);
    this.#feeds.detached(state);
    state.receive(frame);
  }

  /** The relay names more channels than there is room for: ends the patterns that hear them, as the relay may itself. */
  #overrun(name: string, link: Link): void {
    for (const state of this.#byId.values()) {
      if (!state.isPattern || !state.covers(name)) continue;
      const { channelId } = state;
      this.#detached(channelId, [FrameType.DETACHED, null, channelId, 429, 'too_many_channels']);
      void this.#turns.take(state.name, () => this.#askToDetach(link, channelId));
    }
  }

  #isAttached(state: ChannelState): boolean {
    return this.#byId.get(state.channelId) === state;
  }
}

/** Whether a refusal is about the moment: too many, or too fast. */
function isPassing({ status }: MayflyError): boolean {
  return status === 429 || status === 503;
}

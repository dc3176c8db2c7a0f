import { hasWildcard, matches, type Pattern } from '../protocol/channel.ts';
import { FrameType, Mode, type RelayFrame } from '../protocol/frames.ts';
import { type ChannelOptions, type ChannelSettings, readOptions } from './channel-options.ts';
import { Counting } from './counting.ts';
import { placeOf } from './crypto/frame-format.ts';
import { asMayflyError, MayflyError } from './errors.ts';
import { Events, type ListenOptions } from './events.ts';
import type { Listener, MessageFrame } from './feeds.ts';
import { type ChannelEvents, Inbox } from './inbox.ts';
import { errorOf, type Link } from './link.ts';
import { LoopQueue } from './loop-queue.ts';
import type { Loss } from './loss.ts';
import type { Message } from './message.ts';
import { Outbox } from './outbox.ts';
import { Presence } from './presence.ts';

/** An attachment answered: ATTACHED. */
export type AttachedFrame = Extract<RelayFrame, { 0: typeof FrameType.ATTACHED }>;

/** A channel or pattern over all connections: what is heard goes to its inbox, what is said to its outbox. */
export class ChannelState implements Listener {
  readonly name: string;
  readonly isPattern: boolean;
  readonly presence: Presence | null;
  readonly #segments: Pattern;
  readonly #settings: ChannelSettings;
  readonly #events = new Events<ChannelEvents>('message', 'loss', 'refused', 'error', 'detached');
  readonly #queues = new Set<LoopQueue>();
  readonly #inbox: Inbox;
  /** Null for plaintext. */
  readonly #counting: Counting | null;
  /** Null for a pattern: nothing is ever sent there. */
  readonly #outbox: Outbox | null;
  #channelId = 0;
  /** The KIDs of what this program sealed for the latest connection. */
  #kids: ReadonlySet<bigint> = new Set();
  #isOver = false;

  /** Throws what the name or the options deserve. */
  constructor(name: string, options: ChannelOptions) {
    this.#settings = readOptions(name, options);
    this.name = name;
    this.isPattern = hasWildcard(name);
    this.#segments = name.split('.');
    const { cipherFor, maxUnsent, maxWaiting, maxWaitingBytes } = this.#settings;
    const cipher = cipherFor === null || this.isPattern ? null : cipherFor(name);
    const outbox = this.isPattern ? null : new Outbox(cipher, maxUnsent, (error) => this.fail(asMayflyError(error)));
    const isPresent = outbox !== null && cipher !== null && this.#has(Mode.PRESENCE);
    this.presence = isPresent
      ? new Presence({ send: (data) => outbox.send('presence', data, null), onError: (error) => this.fail(error) })
      : null;
    this.#outbox = outbox;
    this.#counting =
      cipherFor === null
        ? null
        : new Counting({
            account: outbox !== null && this.#has(Mode.PUBLISH) ? outbox.account : null,
            send: async (data) => outbox?.send('presence', data, null),
            behind: (act) => this.#inbox.behind(act),
            tell: (channel, sender, count) =>
              this.#inbox.lose({ channel, count, cause: 'withheld', firstSeq: null, lastSeq: null, sender }),
          });
    this.#inbox = new Inbox({
      events: this.#events,
      cipherFor: cipher === null ? cipherFor : () => cipher,
      onPresence: (channel, sender, data, place) => {
        this.#counting?.receive(channel, sender, data);
        this.presence?.receive(sender, data, place);
      },
      counting: this.#counting,
      maxWaiting,
      maxWaitingBytes,
    });
  }

  /** The id of the channel or pattern on the latest connection. */
  get channelId(): number {
    return this.#channelId;
  }

  get sentCount(): number {
    return this.#outbox?.sentCount ?? 0;
  }

  /** Whether it was left, or the relay closed. */
  get isOver(): boolean {
    return this.#isOver;
  }

  covers(name: string): boolean {
    return this.isPattern ? matches(this.#segments, name.split('.')) : name === this.name;
  }

  /** Resolves when what is published goes to the connection again; null when it does. */
  get catchingUp(): Promise<void> | null {
    return this.#outbox?.catchingUp ?? null;
  }

  /** Attaches on a connection; `onAttached` sees the answer before any frame behind it. Rejects with the relay's refusal. */
  attach(link: Link, onAttached: (frame: AttachedFrame) => void): Promise<void> {
    this.#kids = link.kids;
    this.#outbox?.begin(link);
    return link.request(
      (ref) => [FrameType.ATTACH, ref, this.name, this.#settings.modes],
      FrameType.ATTACHED,
      (frame) => {
        this.#channelId = frame[2];
        if (!this.#isOver) this.#outbox?.open(link, frame[2]);
        this.#counting?.begin(link, frame[5]);
        onAttached(frame);
        if (!this.#isOver) this.#behind((presence) => presence.begin(frame[5], link.sender));
      },
    );
  }

  /** The connection is gone. */
  lost(): void {
    if (!this.#isOver) this.#outbox?.lost();
  }

  /** The relay did not take the channel again; publishing rejects with the same until it does. */
  refused(error: MayflyError): void {
    const { code, message, status } = error;
    this.#outbox?.close(() => new MayflyError(code, message, status === undefined ? {} : { status }));
  }

  /** Tells the app of something that went wrong. */
  fail(error: MayflyError): void {
    if (!this.#isOver) this.#events.emit('error', error);
  }

  /** Publishes. Rejects with `not_publishing` where that was not asked for, or as `Outbox.publish`. */
  async publish(data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    if (this.#outbox === null || !this.#has(Mode.PUBLISH))
      throw new MayflyError('not_publishing', 'this channel was not attached to publish');
    const publishing = this.#outbox.publish(data, envelope);
    this.#counting?.sealed();
    await publishing;
  }

  take(name: string, frame: MessageFrame, isOwn: boolean): void {
    if (!this.#has(Mode.SUBSCRIBE)) return;
    const isClaimed = isOwn && this.#settings.cipherFor !== null && !this.#kids.has(placeOf(frame[5]).kid);
    if (!isOwn || isClaimed || this.#has(Mode.ECHO)) this.#inbox.take(name, frame, { isOwn, isClaimed });
  }

  lose(loss: Loss): void {
    if (this.#has(Mode.SUBSCRIBE)) this.#inbox.lose(loss);
  }

  excuse(name: string, count: number | null): void {
    if (this.#counting !== null && count !== 0) this.#inbox.behind(() => this.#counting?.lost(name, count));
  }

  headed(): void {
    this.presence?.ask();
  }

  /** Takes a frame about this attachment. */
  receive(frame: RelayFrame): void {
    if (this.#isOver) return;
    if (frame[0] === FrameType.LEFT) this.#behind((presence) => presence.left(frame[2]));
    else if (frame[0] === FrameType.OCCUPANCY) this.#behind((presence) => presence.counted(frame[2]));
    else if (frame[0] === FrameType.ERROR) {
      this.#outbox?.account.refused();
      this.fail(errorOf(frame));
    } else if (frame[0] === FrameType.DETACHED) {
      const why = new MayflyError(frame[4], 'the attachment was ended', { status: frame[3] });
      this.refused(why);
      this.#inbox.behind(() => {
        this.presence?.detached();
        this.#events.emit('detached', why);
      });
    }
  }

  /** What the relay says of who is there waits for all that they said before. */
  #behind(act: (presence: Presence) => void): void {
    const { presence } = this;
    if (presence !== null) this.#inbox.behind(() => act(presence));
  }

  /** Resolves when everything that came before was told. */
  settled(): Promise<void> {
    return this.#inbox.settled();
  }

  /** Ends the channel and every loop over it, and tells nothing more; publishing rejects with `why` from now on. */
  end(why: () => MayflyError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#inbox.end();
    this.#outbox?.end(why);
    this.presence?.end();
    this.#counting?.end();
    for (const queue of this.#queues) queue.end();
    this.#events.end();
  }

  /** Listens to an event. */
  on<Name extends keyof ChannelEvents>(
    name: Name,
    listener: (event: ChannelEvents[Name]) => void,
    options?: ListenOptions,
  ): () => void {
    const stop = this.#events.on(name, listener, options);
    this.#inbox.listened();
    return stop;
  }

  /** A loop over the messages from now on, or from where the first of those ended that were left. */
  iterate(): AsyncIterableIterator<Message> {
    for (const queue of this.#queues) if (queue.isFree) return queue.begin();
    return this.#newQueue().begin();
  }

  #newQueue(): LoopQueue {
    const { maxWaiting, maxWaitingBytes } = this.#settings;
    const queue: LoopQueue = new LoopQueue({
      maxWaiting,
      maxWaitingBytes,
      onLoss: (loss) => this.#events.emit('loss', loss),
      onLeft: () => {
        if (this.#inbox.isOpen) return;
        stop(); // before anything was told: all of it waits for the first who listens
        this.#queues.delete(queue);
      },
    });
    const stop = this.on('message', (message) => queue.push(message));
    this.#queues.add(queue);
    if (this.#isOver) queue.end();
    return queue;
  }

  #has(mode: number): boolean {
    return (this.#settings.modes & mode) !== 0;
  }
}

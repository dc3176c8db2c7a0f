import { hasWildcard, matches, type Pattern } from '../protocol/channel.ts';
import { FrameType, Mode, type RelayFrame } from '../protocol/frames.ts';
import { type ChannelOptions, type ChannelSettings, readOptions } from './channel-options.ts';
import type { ChannelCipher } from './crypto/channel-cipher.ts';
import { Lru } from './crypto/lru.ts';
import { MayflyError, notConnected } from './errors.ts';
import { Events } from './events.ts';
import type { Listener, Loss, MessageFrame } from './feeds.ts';
import { type ChannelEvents, Inbox } from './inbox.ts';
import { errorOf, type Link } from './link.ts';
import type { Message } from './message.ts';
import { MessageQueue } from './message-queue.ts';
import { Outbox } from './outbox.ts';
import { Presence } from './presence.ts';

/** Channels of a pattern whose replay windows are remembered. */
const MAX_CIPHERS = 4096;

/** An attachment answered: ATTACHED. */
export type AttachedFrame = Extract<RelayFrame, { 0: typeof FrameType.ATTACHED }>;

/** A channel or pattern over all connections: attaches, listens, publishes. */
export class ChannelState implements Listener {
  readonly name: string;
  readonly isPattern: boolean;
  readonly #segments: Pattern;
  readonly events = new Events<ChannelEvents>();
  readonly presence: Presence | null;
  readonly #settings: ChannelSettings;
  readonly #ciphers = new Lru<ChannelCipher>(MAX_CIPHERS);
  readonly #queues = new Set<MessageQueue<Message>>();
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  #channelId = 0;
  #isDetached = false;
  #isOver = false;

  /** Throws what the name or the options deserve. */
  constructor(name: string, options: ChannelOptions) {
    this.name = name;
    this.isPattern = hasWildcard(name);
    this.#segments = name.split('.');
    this.#settings = readOptions(name, options);
    const { events } = this;
    this.#outbox = new Outbox(this.isPattern ? null : this.#cipherOf(name), this.#settings.maxUnsent);
    this.presence = this.#has(Mode.PRESENCE) ? new Presence((data) => this.#outbox.send('presence', data, null)) : null;
    this.#inbox = new Inbox({
      events,
      cipherOf: (channel) => this.#cipherOf(channel),
      onPresence: (sender, data) => this.presence?.receive(sender, data),
      maxWaiting: this.#settings.maxWaiting,
    });
  }

  /** The id of the channel or pattern on the latest connection. */
  get channelId(): number {
    return this.#channelId;
  }

  /** Whether the relay ended the attachment, and none has been made since. */
  get isDetached(): boolean {
    return this.#isDetached;
  }

  covers(name: string): boolean {
    return this.isPattern ? matches(this.#segments, name.split('.')) : name === this.name;
  }

  /** Attaches on a connection; `onAttached` sees the answer before any frame behind it. Rejects with the relay's refusal. */
  async attach(link: Link, onAttached: (frame: AttachedFrame) => void): Promise<void> {
    if (!this.isPattern) this.#cipherOf(this.name)?.begin(link.sender);
    await link.request(
      (ref) => [FrameType.ATTACH, ref, this.name, this.#settings.modes],
      (frame) => {
        if (frame[0] !== FrameType.ATTACHED) return;
        this.#channelId = frame[2];
        this.#isDetached = false;
        this.#outbox.open(link, frame[2]);
        onAttached(frame);
        this.presence?.begin(frame[5]);
      },
    );
  }

  /** The connection is gone. */
  lost(): void {
    this.#outbox.close(notConnected);
  }

  /** Publishes. Rejects with `not_publishing` where that was not asked for, or as `Outbox.publish`. */
  async publish(data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    if (this.isPattern || !this.#has(Mode.PUBLISH))
      throw new MayflyError('not_publishing', 'this channel was not attached to publish');
    await this.#outbox.publish(data, envelope);
  }

  take(name: string, frame: MessageFrame, isOwn: boolean): void {
    if (this.#has(Mode.SUBSCRIBE) && (!isOwn || this.#has(Mode.ECHO))) this.#inbox.take(name, frame, isOwn);
  }

  lose(loss: Loss): void {
    if (this.#has(Mode.SUBSCRIBE)) this.#inbox.lose(loss);
  }

  headed(): void {
    this.presence?.ask();
  }

  /** Takes a frame about this attachment. */
  receive(frame: RelayFrame): void {
    if (frame[0] === FrameType.LEFT) this.presence?.left(frame[2]);
    else if (frame[0] === FrameType.OCCUPANCY) this.presence?.counted(frame[2]);
    else if (frame[0] === FrameType.ERROR) this.events.emit('error', errorOf(frame));
    else if (frame[0] === FrameType.DETACHED) {
      const [, , , status, code] = frame;
      const why = (): MayflyError => new MayflyError(code, 'the relay ended the attachment', { status });
      this.#isDetached = true;
      this.#outbox.close(why);
      this.presence?.detached();
      this.events.emit('detached', why());
    }
  }

  /** Resolves when everything that came before was told. */
  settled(): Promise<void> {
    return this.#inbox.settled();
  }

  /** Ends the channel and every loop over it; publishing rejects with `why` from now on. */
  end(why: () => MayflyError): void {
    this.#isOver = true;
    this.#outbox.end(why);
    this.presence?.end();
    for (const queue of this.#queues) queue.end();
    this.#queues.clear();
  }

  /** A new loop over the messages from now on. */
  iterate(): MessageQueue<Message> {
    const stop = this.events.on('message', (message) => queue.push(message));
    const queue: MessageQueue<Message> = new MessageQueue({
      limit: this.#settings.maxWaiting,
      onDrop: ({ channel, seq }) =>
        this.events.emit('loss', { channel, count: 1, cause: 'slow_app', firstSeq: seq, lastSeq: seq }),
      onEnd: () => {
        stop();
        this.#queues.delete(queue);
      },
    });
    this.#queues.add(queue);
    if (this.#isOver) queue.end();
    return queue;
  }

  #has(mode: number): boolean {
    return (this.#settings.modes & mode) !== 0;
  }

  #cipherOf(name: string): ChannelCipher | null {
    if (this.#settings.cipherFor === null) return null;
    const cipher = this.#ciphers.peek(name) ?? this.#settings.cipherFor(name);
    this.#ciphers.set(name, cipher);
    return cipher;
  }
}

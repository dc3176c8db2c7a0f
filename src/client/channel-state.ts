import { FrameType, Mode, type RelayFrame } from '../protocol/frames.ts';
import { encodeMessage } from '../protocol/message.ts';
import { type ChannelOptions, cipherOf, modesOf } from './channel-options.ts';
import type { ChannelCipher } from './crypto/channel-cipher.ts';
import type { OpenRefusal } from './crypto/errors.ts';
import type { FrameKind } from './crypto/frame-format.ts';
import { MayflyError } from './errors.ts';
import { Events } from './events.ts';
import { errorOf, type Link } from './link.ts';
import { LossCount } from './loss.ts';
import { type Message, messageOf } from './message.ts';
import { MessageQueue } from './message-queue.ts';
import { Presence } from './presence.ts';

/** What a channel tells the app. */
export interface ChannelEvents {
  message: Message;
  /** Messages that will not come: `count` of them, null when nobody can know how many. */
  loss: { readonly count: number | null; readonly cause: 'slow_reader' | 'reconnect' | 'slow_app' };
  /** A frame that was not delivered, because it did not decrypt. There is no data. */
  refused: { readonly reason: OpenRefusal; readonly seq: number; readonly sender: number };
  /** The relay refused a message, or ended the attachment; the channel may still be in use. */
  error: MayflyError;
}

const DEFAULT_MAX_WAITING = 10_000;

type MessageFrame = Extract<RelayFrame, { 0: typeof FrameType.MESSAGE }>;

/** One channel over all connections: attaches, seals and opens, counts what is lost. */
export class ChannelState {
  readonly name: string;
  readonly events = new Events<ChannelEvents>();
  readonly queues = new Set<MessageQueue<Message>>();
  readonly presence: Presence | null;
  readonly #options: ChannelOptions;
  readonly #cipher: ChannelCipher | null;
  readonly #loss = new LossCount();
  #unsent: { readonly data: Uint8Array; readonly envelope: Uint8Array | null }[] = [];
  #link: Link | null = null;
  #channelId = 0;

  /** Throws what the options deserve. */
  constructor(name: string, options: ChannelOptions) {
    this.name = name;
    this.#options = options;
    this.#cipher = cipherOf(name, options);
    this.presence = options.presence === true ? new Presence((data) => this.#send('presence', data, null)) : null;
  }

  get channelId(): number {
    return this.#channelId;
  }

  /** Attaches on a connection, `adopt` being told the id before any frame of it comes. Rejects with the relay's refusal. */
  async attach(link: Link, adopt: (channelId: number, state: ChannelState) => void): Promise<void> {
    this.#cipher?.begin(link.sender);
    let occupancy = 0;
    await link.request(
      (ref) => [FrameType.ATTACH, ref, this.name, modesOf(this.#options)],
      (frame) => {
        if (frame[0] !== FrameType.ATTACHED) return;
        this.#channelId = frame[2];
        occupancy = frame[5];
        this.#link = link;
        adopt(frame[2], this);
        const missed = this.#loss.attached(frame[2], frame[4]);
        if (missed !== 0 && this.#isReading) this.events.emit('loss', { count: missed, cause: 'reconnect' });
      },
    );
    this.presence?.begin(occupancy);
    const unsent = this.#unsent;
    this.#unsent = [];
    await Promise.all(unsent.map(({ data, envelope }) => this.publish(data, envelope)));
  }

  /** Notes that the connection is gone. */
  lost(): void {
    this.#link = null;
  }

  /** Hands a message to the connection, encrypted. Rejects with `not_connected` or `buffer_full` when it cannot. */
  async publish(data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    if (!(await this.#trySend('message', data, envelope))) this.#keep(data, envelope);
  }

  async #send(kind: FrameKind, data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    if (!(await this.#trySend(kind, data, envelope))) throw new MayflyError('not_connected', 'there is no connection');
  }

  /** Seals and sends; false without a connection, or when it went while sealing: nobody would open that frame on the next one. */
  async #trySend(kind: FrameKind, data: Uint8Array, envelope: Uint8Array | null): Promise<boolean> {
    const link = this.#link;
    if (link === null || !link.isOpen) return false;
    const body = this.#cipher === null ? data : await this.#cipher.seal(kind, data, envelope);
    if (this.#link !== link || !link.isOpen) return false;
    link.send(encodeMessage(this.#channelId, envelope, body));
    return true;
  }

  /** Takes a frame of this channel. */
  receive(frame: RelayFrame): void {
    if (frame[0] === FrameType.MESSAGE) this.#message(frame);
    else if (frame[0] === FrameType.HEAD) {
      const lost = this.#loss.head(frame[2], frame[3]);
      if (lost > 0) this.events.emit('loss', { count: lost, cause: 'slow_reader' });
      this.presence?.ask();
    } else if (frame[0] === FrameType.LEFT) {
      this.presence?.left(frame[2]);
    } else if (frame[0] === FrameType.OCCUPANCY) {
      this.presence?.counted(frame[2]);
    } else if (frame[0] === FrameType.ERROR) this.events.emit('error', errorOf(frame));
    else if (frame[0] === FrameType.DETACHED) {
      this.lost();
      this.events.emit('error', new MayflyError(frame[4], 'the relay ended the attachment', { status: frame[3] }));
    }
  }

  /** Detaches, and ends every loop over the channel. */
  async detach(): Promise<void> {
    const link = this.#link;
    this.lost();
    this.end();
    if (link?.isOpen === true) await link.request((ref) => [FrameType.DETACH, ref, this.#channelId]);
  }

  /** Ends every loop over the channel. */
  end(): void {
    this.presence?.end();
    for (const queue of this.queues) queue.end();
    this.queues.clear();
  }

  /** A new loop over the messages from now on. */
  iterate(): MessageQueue<Message> {
    const queue = new MessageQueue<Message>(
      this.#options.maxWaiting ?? DEFAULT_MAX_WAITING,
      () => this.events.emit('loss', { count: 1, cause: 'slow_app' }),
      (done) => this.queues.delete(done),
    );
    this.queues.add(queue);
    return queue;
  }

  get #isReading(): boolean {
    return (modesOf(this.#options) & Mode.SUBSCRIBE) !== 0;
  }

  #message([, , seq, sender, envelope, body]: MessageFrame): void {
    const isOwn = sender === this.#link?.sender;
    if (!this.#loss.received(seq, isOwn)) return;
    if (isOwn && this.#options.echo !== true) return;
    if (this.#cipher === null) {
      this.#deliver(messageOf(body, seq, sender, envelope));
      return;
    }
    this.#cipher.open({ sender, envelope, body }).then((opened) => {
      if (opened.kind === 'refused') this.events.emit('refused', { reason: opened.reason, seq, sender });
      else if (opened.kind === 'message') this.#deliver(messageOf(opened.data, seq, sender, envelope));
      else if (!isOwn) this.presence?.receive(sender, opened.data);
    });
  }

  #deliver(message: Message): void {
    this.events.emit('message', message);
    for (const queue of this.queues) queue.push(message);
  }

  #keep(data: Uint8Array, envelope: Uint8Array | null): void {
    const max = this.#options.maxUnsent ?? 0;
    if (max === 0) throw new MayflyError('not_connected', 'there is no connection, and maxUnsent is 0');
    if (this.#unsent.length >= max) throw new MayflyError('buffer_full', `more than maxUnsent (${max}) messages wait`);
    this.#unsent.push({ data: data.slice(), envelope: envelope?.slice() ?? null });
  }
}

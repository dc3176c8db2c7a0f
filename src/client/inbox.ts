import type { Counting } from './counting.ts';
import type { ChannelCipher } from './crypto/channel-cipher.ts';
import type { OpenRefusal } from './crypto/errors.ts';
import { placeOf } from './crypto/frame-format.ts';
import type { Opened } from './crypto/opener.ts';
import { asMayflyError, type MayflyError } from './errors.ts';
import type { Events } from './events.ts';
import type { MessageFrame } from './feeds.ts';
import { Held } from './held.ts';
import { InOrder } from './in-order.ts';
import { type Loss, Losses, oneLost } from './loss.ts';
import { Lru } from './lru.ts';
import type { Place } from './members.ts';
import { MESSAGE_BYTES, type Message, memoryOf, messageOf } from './message.ts';

/** What a channel tells the app. `channel` is the name of the channel meant, also where a pattern was attached. */
export interface ChannelEvents {
  message: Message;
  loss: Loss;
  /** A frame that was not delivered, because it did not decrypt. There is no data. */
  refused: { readonly channel: string; readonly reason: OpenRefusal; readonly seq: number; readonly sender: number };
  /** The relay refused a message, or did not take the channel again after a reconnect. */
  error: MayflyError;
  /** The relay ended the attachment, because a token no longer covers it. It is tried again after a renewal, and at the next connection. */
  detached: MayflyError;
}

/** Where an inbox gets its ciphers and says what it found. */
export interface InboxPorts {
  readonly events: Events<ChannelEvents>;
  /** Makes the cipher of a channel; null for plaintext. */
  readonly cipherFor: ((name: string) => ChannelCipher) | null;
  /** Takes what members say to each other about themselves. */
  readonly onPresence: (channel: string, sender: number, data: Uint8Array, place: Place) => void;
  /** Looks for what was withheld; null for plaintext. */
  readonly counting: Counting | null;
  /** Most frames that may wait to be decrypted, and most events that may wait for the app to listen. */
  readonly maxWaiting: number;
  /** Most bytes of either. */
  readonly maxWaitingBytes: number;
}

/** Whether a frame bears the own sender, and whether this program never sealed it: then it is another's, or of an earlier connection. */
export interface Whose {
  readonly isOwn: boolean;
  readonly isClaimed: boolean;
}

/** Channels whose replay windows are remembered, where a pattern hears many. */
const MAX_CIPHERS = 4096;
/** Most bytes that wait for the first who listens: nobody may ever, where an app only publishes. */
const MAX_HELD_BYTES = 1024 * 1024;

/** Opens frames as they come. Nothing leaves it but what was sealed with the channel's key, where there is one. */
export class Inbox {
  readonly #ports: InboxPorts;
  readonly #order = new InOrder();
  /** Ciphers that opened something authentic: forged frames cannot push one out, and its replay windows with it. */
  readonly #ciphers = new Lru<ChannelCipher>(MAX_CIPHERS);
  readonly #opening = new Map<string, { readonly cipher: ChannelCipher; count: number }>();
  #openingCount = 0;
  #openingBytes = 0;
  /** What is done behind those. */
  #behindCount = 0;
  readonly #held: Held<keyof ChannelEvents>;
  /** What there was no room for. */
  readonly #overflow = new Losses((loss) => this.#emit('loss', loss));
  #isOver = false;

  constructor(ports: InboxPorts) {
    this.#ports = ports;
    const limits = { maxCount: ports.maxWaiting, maxBytes: Math.min(ports.maxWaitingBytes, MAX_HELD_BYTES) };
    this.#held = new Held<keyof ChannelEvents>('message', limits, (name) => ports.events.isHeard(name));
  }

  /** Takes a frame of the named channel. */
  take(channel: string, [, , seq, sender, envelope, body]: MessageFrame, { isOwn, isClaimed }: Whose): void {
    const { cipherFor, counting, maxWaiting, maxWaitingBytes } = this.#ports;
    if (cipherFor === null) {
      this.#message({ channel, data: body, seq, sender, envelope });
      return;
    }
    const bytes = memoryOf({ data: body, envelope });
    const place = placeOf(body);
    if (this.#openingCount >= maxWaiting || this.#openingBytes + bytes > maxWaitingBytes) {
      this.behind(() => counting?.refused(channel, sender, place));
      this.lose(oneLost(channel, seq));
      return;
    }
    this.#openingBytes += bytes;
    const opened = this.#open(channel, cipherFor, (cipher) => cipher.open({ sender, envelope, body }));
    this.#order.settle(opened).then(
      (frame) => {
        this.#openingCount--;
        this.#openingBytes -= bytes;
        const window = isOwn ? undefined : this.#ciphers.peek(channel)?.window(sender, place.kid);
        if (frame.kind === 'refused') {
          if (frame.reason !== 'replayed') counting?.refused(channel, sender, place);
        } else if (window !== undefined) counting?.opened(channel, sender, place, window);
        if (frame.kind === 'refused' || isClaimed) {
          const reason = frame.kind === 'refused' ? frame.reason : 'replayed';
          this.#tell('refused', { channel, reason, seq, sender }, oneLost(channel, seq));
        } else if (frame.kind === 'message') this.#message({ channel, data: frame.data, seq, sender, envelope });
        else if (!isOwn && !this.#isOver) this.#ports.onPresence(channel, sender, frame.data, place);
      },
      (error: unknown) => {
        this.#openingCount--;
        this.#openingBytes -= bytes;
        counting?.refused(channel, sender, place);
        this.#ports.events.emit('error', asMayflyError(error));
      },
    );
  }

  /** Tells a loss, behind all that came before it. */
  lose(loss: Loss): void {
    this.behind(() => this.#tell('loss', loss, loss));
  }

  /** Does something behind all that came before, which may still be with WebCrypto; not at all once nothing is told any more. */
  behind(act: () => void): void {
    if (this.#openingCount === 0 && this.#behindCount === 0) {
      act();
      return;
    }
    this.#behindCount++;
    this.settled().then(() => {
      this.#behindCount--;
      if (!this.#isOver) act();
    });
  }

  /** Resolves when everything that came before was told. */
  settled(): Promise<void> {
    return this.#order.settle(Promise.resolve());
  }

  /** Whether what comes is told at once: somebody has listened to the messages. */
  get isOpen(): boolean {
    return this.#held.isOpen;
  }

  /** Somebody listens to an event: tells what waited for that. */
  listened(): void {
    this.#held.listened(() => this.#overflow.tell());
  }

  /** Tells nothing any more. */
  end(): void {
    this.#isOver = true;
  }

  #message(parts: Omit<Message, 'text'>): void {
    this.#tell('message', messageOf(parts), oneLost(parts.channel, parts.seq), memoryOf(parts));
  }

  /** Tells an event, or lets it wait; what there is no room for is `lost`. */
  #tell<Name extends keyof ChannelEvents>(
    name: Name,
    event: ChannelEvents[Name],
    lost: Loss,
    bytes = MESSAGE_BYTES,
  ): void {
    if (!this.#held.pass(name, bytes, () => this.#emit(name, event))) this.#overflow.add(lost);
  }

  #emit<Name extends keyof ChannelEvents>(name: Name, event: ChannelEvents[Name]): void {
    if (!this.#isOver) this.#ports.events.emit(name, event);
  }

  async #open(
    channel: string,
    cipherFor: (name: string) => ChannelCipher,
    act: (cipher: ChannelCipher) => Promise<Opened>,
  ): Promise<Opened> {
    this.#openingCount++;
    const cipher = this.#opening.get(channel)?.cipher ?? this.#ciphers.peek(channel) ?? cipherFor(channel);
    const opening = this.#opening.get(channel) ?? { cipher, count: 0 };
    this.#opening.set(channel, opening);
    opening.count++;
    try {
      const opened = await act(cipher);
      if (opened.kind !== 'refused') this.#ciphers.set(channel, cipher);
      return opened;
    } finally {
      if (--opening.count === 0) this.#opening.delete(channel);
    }
  }
}

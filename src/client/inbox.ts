import type { ChannelCipher } from './crypto/channel-cipher.ts';
import type { OpenRefusal } from './crypto/errors.ts';
import { InOrder } from './crypto/in-order.ts';
import type { MayflyError } from './errors.ts';
import type { Events } from './events.ts';
import type { Loss, MessageFrame } from './feeds.ts';
import { type Message, messageOf } from './message.ts';

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
  /** The cipher of a channel, remembered as long as the channel is used; null for plaintext. */
  readonly cipherOf: (name: string) => ChannelCipher | null;
  /** Takes what members say to each other about themselves. */
  readonly onPresence: (sender: number, data: Uint8Array) => void;
  /** Most frames that may be decrypted at a time. */
  readonly maxWaiting: number;
}

/** Opens frames as they come. Nothing leaves it but what was sealed with the channel's key, where there is one. */
export class Inbox {
  readonly #ports: InboxPorts;
  readonly #order = new InOrder();
  #openingCount = 0;

  constructor(ports: InboxPorts) {
    this.#ports = ports;
  }

  /** Takes a frame of the named channel. */
  take(channel: string, [, , seq, sender, envelope, body]: MessageFrame, isOwn: boolean): void {
    const { events, cipherOf, onPresence, maxWaiting } = this.#ports;
    const cipher = cipherOf(channel);
    if (cipher === null) {
      events.emit('message', messageOf({ channel, data: body, seq, sender, envelope }));
      return;
    }
    if (this.#openingCount >= maxWaiting) {
      this.lose({ channel, count: 1, cause: 'slow_app', firstSeq: seq, lastSeq: seq });
      return;
    }
    this.#openingCount++;
    this.#order.settle(cipher.open({ sender, envelope, body })).then((opened) => {
      this.#openingCount--;
      if (opened.kind === 'refused') events.emit('refused', { channel, reason: opened.reason, seq, sender });
      else if (opened.kind === 'message') {
        events.emit('message', messageOf({ channel, data: opened.data, seq, sender, envelope }));
      } else if (!isOwn) onPresence(sender, opened.data);
    });
  }

  /** Tells a loss, behind all that came before it. */
  lose(loss: Loss): void {
    const tell = (): void => this.#ports.events.emit('loss', loss);
    if (this.#openingCount === 0) tell();
    else this.settled().then(tell);
  }

  /** Resolves when everything that came before was told. */
  settled(): Promise<void> {
    return this.#order.settle(Promise.resolve());
  }
}

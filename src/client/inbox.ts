import type { ChannelCipher } from './crypto/channel-cipher.ts';
import type { OpenRefusal } from './crypto/errors.ts';
import type { MayflyError } from './errors.ts';
import type { Events } from './events.ts';
import type { LossCause, MessageFrame } from './feeds.ts';
import { type Message, messageOf } from './message.ts';

/** What a channel tells the app. `channel` is the name of the channel meant, also where a pattern was attached. */
export interface ChannelEvents {
  message: Message;
  /** Messages that will not come: `count` of them, null when nobody can know how many. */
  loss: { readonly channel: string; readonly count: number | null; readonly cause: LossCause };
  /** A frame that was not delivered, because it did not decrypt. There is no data. */
  refused: { readonly channel: string; readonly reason: OpenRefusal; readonly seq: number; readonly sender: number };
  /** The relay refused a message, or ended the attachment. */
  error: MayflyError;
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
      events.emit('loss', { channel, count: 1, cause: 'slow_app' });
      return;
    }
    this.#openingCount++;
    cipher.open({ sender, envelope, body }).then((opened) => {
      this.#openingCount--;
      if (opened.kind === 'refused') events.emit('refused', { channel, reason: opened.reason, seq, sender });
      else if (opened.kind === 'message') {
        events.emit('message', messageOf({ channel, data: opened.data, seq, sender, envelope }));
      } else if (!isOwn) onPresence(sender, opened.data);
    });
  }
}

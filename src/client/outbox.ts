import { encodeMessage } from '../protocol/message.ts';
import type { ChannelCipher } from './crypto/channel-cipher.ts';
import type { FrameKind } from './crypto/frame-format.ts';
import { MayflyError, notConnected } from './errors.ts';
import type { Link } from './link.ts';

/** A message that waits for a link; `number` is its place in the order of publishing. */
interface Unsent {
  readonly number: number;
  readonly data: Uint8Array;
  readonly envelope: Uint8Array | null;
}

/** Seals what the app publishes and hands it to the link; keeps some of it while there is none, if asked to. */
export class Outbox {
  readonly #cipher: ChannelCipher | null;
  readonly #maxUnsent: number;
  #unsent: Unsent[] = [];
  #published = 0;
  #link: Link | null = null;
  #channelId = 0;
  /** Why nothing can be sent while there is no link, and whether it is kept meanwhile. */
  #why = notConnected;
  #isKeeping = true;

  /** Without a cipher bodies go as they are. */
  constructor(cipher: ChannelCipher | null, maxUnsent: number) {
    this.#cipher = cipher;
    this.#maxUnsent = maxUnsent;
  }

  /** Gets ready to seal for a link, before the channel is attached there. */
  begin(link: Link): void {
    this.#cipher?.begin(link.sender);
  }

  /** Goes on over a link where the channel is attached, with what was kept first. */
  open(link: Link, channelId: number): void {
    this.#link = link;
    this.#channelId = channelId;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const message of unsent) this.#hand(message).catch(() => {}); // its publisher was told long ago
  }

  /** The link is gone; the next may come. */
  lost(): void {
    this.#link = null;
    this.#why = notConnected;
    this.#isKeeping = true;
  }

  /** Nothing can be sent until `open`, and why. */
  close(why: () => MayflyError): void {
    this.#link = null;
    this.#why = why;
    this.#isKeeping = false;
  }

  /** Nothing can be sent any more, and why. */
  end(why: () => MayflyError): void {
    this.close(why);
    this.#unsent = [];
  }

  /** Publishes a message. Rejects with `frame_too_large`, `buffer_full`, `not_connected`, or why else nothing can be sent. */
  async publish(data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    if (this.#maxUnsent === 0) await this.send('message', data, envelope);
    else await this.#hand({ number: this.#published++, data: data.slice(), envelope: envelope?.slice() ?? null });
  }

  /** Seals and sends. What was sealed for one link is never sent on another: nobody would open it there. */
  async send(kind: FrameKind, data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    const link = this.#link;
    if (link === null) throw this.#why();
    const beside = envelope?.slice() ?? null;
    const encode = (body: Uint8Array): Uint8Array => {
      const frame = encodeMessage(this.#channelId, beside, body);
      const { maxFrameBytes = Number.POSITIVE_INFINITY } = link.info.limits;
      if (frame.length <= maxFrameBytes) return frame;
      throw new MayflyError('frame_too_large', `${frame.length} bytes, and the relay takes ${maxFrameBytes}`, {
        status: 413,
      });
    };
    await link.send(this.#cipher === null ? encode(data) : this.#cipher.seal(kind, data, beside).then(encode));
  }

  /** Sends a message over this link, or the next when this one is lost meanwhile, or keeps it. */
  async #hand(message: Unsent): Promise<void> {
    for (let last: Link | null = null; this.#link !== null && this.#link !== last; ) {
      last = this.#link;
      try {
        await this.send('message', message.data, message.envelope);
        return;
      } catch (error) {
        if (last.isOpen) throw error;
      }
    }
    if (this.#link === null && !this.#isKeeping) throw this.#why();
    if (this.#unsent.length >= this.#maxUnsent)
      throw new MayflyError('buffer_full', `more than maxUnsent (${this.#maxUnsent}) messages wait`);
    this.#unsent.push(message);
    this.#unsent.sort((a, b) => a.number - b.number);
  }
}

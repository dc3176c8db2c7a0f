import { encodeMessage } from '../protocol/message.ts';
import type { ChannelCipher } from './crypto/channel-cipher.ts';
import type { FrameKind } from './crypto/frame-format.ts';
import { MayflyError, notConnected } from './errors.ts';
import type { Link } from './link.ts';

interface Unsent {
  readonly data: Uint8Array;
  readonly envelope: Uint8Array | null;
}

/** Seals what the app publishes and hands it to the link; keeps some of it while there is none, if asked to. */
export class Outbox {
  readonly #cipher: ChannelCipher | null;
  readonly #maxUnsent: number;
  #unsent: Unsent[] = [];
  #link: Link | null = null;
  #channelId = 0;
  /** Why nothing can be sent while there is no link. */
  #why = notConnected;

  constructor(cipher: ChannelCipher | null, maxUnsent: number) {
    this.#cipher = cipher;
    this.#maxUnsent = maxUnsent;
  }

  /** Goes on over a link where the channel is attached, with what was kept first. */
  open(link: Link, channelId: number): void {
    this.#link = link;
    this.#channelId = channelId;
    const unsent = this.#unsent;
    this.#unsent = [];
    for (const { data, envelope } of unsent) this.publish(data, envelope).catch(() => {}); // its publisher was told long ago
  }

  /** Nothing can be sent until `open`, and why. */
  close(why: () => MayflyError): void {
    this.#link = null;
    this.#why = why;
  }

  /** Nothing can be sent any more, nor is it kept. */
  end(why: () => MayflyError): void {
    this.close(why);
    this.#unsent = [];
  }

  /** Publishes a message. Rejects with `frame_too_large`, `buffer_full`, `not_connected`, or why else nothing can be sent. */
  async publish(data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    if (this.#maxUnsent === 0) return this.send('message', data, envelope);
    const message = { data: data.slice(), envelope: envelope?.slice() ?? null };
    for (let last: Link | null = null; this.#link !== null && this.#link !== last; ) {
      last = this.#link;
      try {
        await this.send('message', message.data, message.envelope);
        return;
      } catch (error) {
        if (!(error instanceof MayflyError) || error.code !== 'not_connected') throw error;
      }
    }
    this.#keep(message);
  }

  /** Seals and sends. What was sealed for one link is never sent on another: nobody would open it there. */
  async send(kind: FrameKind, data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    const link = this.#link;
    if (link === null) throw this.#why();
    const encode = (body: Uint8Array): Uint8Array => {
      const frame = encodeMessage(this.#channelId, envelope, body);
      const { maxFrameBytes = Number.POSITIVE_INFINITY } = link.info.limits;
      if (frame.length <= maxFrameBytes) return frame;
      throw new MayflyError('frame_too_large', `${frame.length} bytes, and the relay takes ${maxFrameBytes}`, {
        status: 413,
      });
    };
    await link.send(this.#cipher === null ? encode(data) : this.#cipher.seal(kind, data, envelope).then(encode));
  }
  #keep(message: Unsent): void {
    const why = this.#why();
    if (why.code !== 'not_connected') throw why;
    if (this.#unsent.length >= this.#maxUnsent)
      throw new MayflyError('buffer_full', `more than maxUnsent (${this.#maxUnsent}) messages wait`);
    this.#unsent.push(message);
  }
}

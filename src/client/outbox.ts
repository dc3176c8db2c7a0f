import { encodeMessage } from '../protocol/message.ts';
import { Account } from './account.ts';
import type { ChannelCipher } from './crypto/channel-cipher.ts';
import type { FrameKind } from './crypto/frame-format.ts';
import { MayflyError, notConnected } from './errors.ts';
import type { Link } from './link.ts';

/** A message on its way to a link; `isKept` while it waits for the next one. */
interface Unsent {
  readonly data: Uint8Array;
  readonly envelope: Uint8Array | null;
  isKept: boolean;
}

/** Most bytes kept for the next link, however few messages they are. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;

/** Seals what the app publishes and hands it to the link; keeps some of it while there is none, if asked to. */
export class Outbox {
  readonly #cipher: ChannelCipher | null;
  readonly #maxUnsent: number;
  /** Takes what went wrong with a kept message: its publisher was told long ago that it was taken. */
  readonly #onError: (error: unknown) => void;
  /** What became of the frames that were sealed. */
  readonly account = new Account();
  /** Messages that no link has sent yet, in the order of publishing: each keeps its place until one has. */
  readonly #unsent = new Set<Unsent>();
  #keptCount = 0;
  #keptBytes = 0;
  /** Messages handed to a link, until that has sent them or is found to be gone. */
  readonly #handed = new Set<Promise<void>>();
  #catchingUp: Promise<void> | null = null;
  #link: Link | null = null;
  #channelId = 0;
  #sentCount = 0;
  /** Why nothing can be sent while there is no link, and whether it is kept meanwhile. */
  #why = notConnected;
  #isKeeping = true;

  /** Without a cipher bodies go as they are. */
  constructor(cipher: ChannelCipher | null, maxUnsent: number, onError: (error: unknown) => void) {
    this.#cipher = cipher;
    this.#maxUnsent = maxUnsent;
    this.#onError = onError;
  }

  /** Gets ready to seal for a link, before the channel is attached there. */
  begin(link: Link): void {
    this.#cipher?.begin(link.sender);
    this.account.begin();
  }

  /** Goes on over a link where the channel is attached, with what was kept first, and what the link before may still give back. */
  open(link: Link, channelId: number): void {
    this.#link = link;
    this.#channelId = channelId;
    this.#sentCount = 0;
    if (this.#catchingUp !== null) return;
    if (this.#handed.size === 0) this.#sendKept();
    else
      this.#catchingUp = Promise.all(this.#handed).then(() => {
        this.#catchingUp = null;
        this.#sendKept();
      });
  }

  /** How many frames were given to the link at most, since the channel was attached there. */
  get sentCount(): number {
    return this.#sentCount;
  }

  /** Resolves when messages go to the link again; null when they do. */
  get catchingUp(): Promise<void> | null {
    return this.#catchingUp;
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
    this.#unsent.clear();
  }

  /** Publishes a message. Rejects with `frame_too_large`, `buffer_full`, `not_connected`, or why else nothing can be sent. */
  async publish(data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    if (this.#maxUnsent === 0) return this.send('message', data, envelope);
    const message = { data: data.slice(), envelope: envelope?.slice() ?? null, isKept: false };
    if (this.#link === null || this.#catchingUp !== null) this.#keep(message);
    else await this.#hand(message, this.#link);
  }

  /** Seals and sends. What was sealed for one link is never sent on another: nobody would open it there. */
  async send(kind: FrameKind, data: Uint8Array, envelope: Uint8Array | null): Promise<void> {
    const link = this.#link;
    if (link === null) throw this.#why();
    this.#sentCount++;
    const channelId = this.#channelId; // the next link may be there before this is sealed
    const beside = envelope?.slice() ?? null;
    const encode = (body: Uint8Array): Uint8Array => {
      const frame = encodeMessage(channelId, beside, body);
      const { maxFrameBytes = Number.POSITIVE_INFINITY } = link.info.limits;
      if (frame.length <= maxFrameBytes) return frame;
      throw new MayflyError('frame_too_large', `${frame.length} bytes, and the relay takes ${maxFrameBytes}`, {
        status: 413,
      });
    };
    if (this.#cipher === null) return link.send(encode(data));
    const sealed = this.#cipher.seal(kind, data, beside);
    const { last } = this.#cipher;
    if (last === undefined) return link.send(sealed);
    link.kids.add(last.kid);
    this.account.seals(last);
    await link.send(
      sealed.then(encode).catch((error: unknown) => {
        this.account.unsent(last);
        throw error;
      }),
    );
  }

  #sendKept(): void {
    const link = this.#link;
    if (link === null) return;
    this.#keptCount = 0;
    this.#keptBytes = 0;
    for (const message of this.#unsent) this.#hand(message, link, true).catch(this.#onError);
  }

  /** Sends a message over the link, or keeps it when the link is found to be gone. */
  #hand(message: Unsent, link: Link, wasKept = false): Promise<void> {
    this.#unsent.add(message);
    message.isKept = false;
    const handing = this.send('message', message.data, message.envelope).catch((error: unknown) => {
      if (link.isOpen) throw error;
      this.#keep(message, wasKept);
    });
    const done: Promise<void> = handing
      .catch(() => {})
      .then(() => {
        this.#handed.delete(done);
        if (!message.isKept) this.#unsent.delete(message);
      });
    this.#handed.add(done);
    return handing;
  }

  /** Keeps a message, within the bounds: but one that was kept before has its place. */
  #keep(message: Unsent, wasKept = false): void {
    if (this.#link === null && !this.#isKeeping) throw this.#why();
    const bytes = this.#keptBytes + message.data.length + (message.envelope?.length ?? 0);
    if (!wasKept && (this.#keptCount >= this.#maxUnsent || bytes > MAX_UNSENT_BYTES))
      throw new MayflyError('buffer_full', `more than maxUnsent (${this.#maxUnsent}) messages wait, or 16 MiB of them`);
    this.#unsent.add(message);
    message.isKept = true;
    this.#keptCount++;
    this.#keptBytes = bytes;
  }
}

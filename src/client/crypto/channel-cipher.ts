import { optionsOf } from '../given.ts';
import { InOrder } from '../in-order.ts';
import { Binding } from './binding.ts';
import { wrongType } from './checks.ts';
import { type FrameKind, MAX_FRAMES_PER_KID } from './frame-format.ts';
import { KeyRing } from './key-ring.ts';
import { type Opened, Opener, type SealedFrame } from './opener.ts';
import { checkPadding, type Padding } from './padding.ts';
import type { ReplayWindow } from './replay-window.ts';
import { Sealer } from './sealer.ts';

/** What a channel's encryption needs. */
export interface ChannelCipherOptions {
  /** The channel's name as the relay has it: the blind one, where names are blind. Never a pattern. */
  readonly channel: string;
  readonly ring: KeyRing;
  /** How to pad what is sealed; default `padme`. */
  readonly padding?: Padding;
  /** Frames under one key before the next is derived; 1 to 2^32, the default. */
  readonly maxFramesPerKid?: number;
}

/**
 * End-to-end encryption of one channel: docs/ENCRYPTION.md. Keep it as long as the channel is used, over reconnects: it remembers what was
 * received, and refuses it a second time.
 */
export class ChannelCipher {
  readonly #sealer: Sealer;
  readonly #opener: Opener;
  readonly #sealed = new InOrder();
  readonly #opened = new InOrder();

  /** Throws EncryptionError `bad_channel`, `bad_key`, `bad_padding` or `bad_limit`. */
  constructor(options: ChannelCipherOptions) {
    const { channel, ring: given, padding = 'padme', maxFramesPerKid = MAX_FRAMES_PER_KID } = optionsOf(options);
    const ring = KeyRing.of(given);
    if (ring === undefined) throw wrongType('bad_key', 'a KeyRing of this copy of the package', given);
    const binding = new Binding(channel);
    this.#sealer = new Sealer(binding, ring, checkPadding(padding), maxFramesPerKid);
    this.#opener = new Opener(binding, ring);
  }

  /**
   * To be called for each new connection, with `sender` from its WELCOME (0 to publish over HTTP), before anything is sealed for it. What
   * was sealed earlier cannot be sent on the new connection: nobody would open it. Throws `bad_sender`.
   */
  begin(sender: number): void {
    this.#sealer.begin(sender);
  }

  /**
   * Makes the body of a MESSAGE whose envelope will be `envelope` (null for nil, which is not the same as empty). Calls settle in their
   * order, also when several run at once; the arguments are copied. Rejects with `not_begun`, `no_web_crypto`, `bad_kind` or `bad_data`.
   */
  seal(kind: FrameKind, data: Uint8Array, envelope: Uint8Array | null = null): Promise<Uint8Array> {
    return this.#sealed.settle(this.#sealer.seal(kind, data, envelope));
  }

  /** @internal The counters opened under a KID and sender. */
  window(sender: number, kid: bigint): ReplayWindow | undefined {
    return this.#opener.window(sender, kid);
  }

  /** @internal KID and counter of the frame sealed last; undefined before the first. */
  get last(): { readonly kid: bigint; readonly ctr: number } | undefined {
    return this.#sealer.last;
  }

  /**
   * Opens a MESSAGE. What cannot be opened comes back as `refused`, with a constant reason and without data; nothing in a frame makes it
   * reject. Calls are judged and settle in their order, whatever order decryption ends in; `envelope` and `body` are copied. Rejects with `bad_data`
   * for what is no frame at all, and with `no_web_crypto`.
   */
  open(frame: SealedFrame): Promise<Opened> {
    return this.#opened.settle(this.#opener.decrypt(frame)).then((judge) => judge());
  }
}

import { Lru } from '../lru.ts';
import { type Binding, isSender } from './binding.ts';
import type { ChannelKey } from './channel-key.ts';
import { checkBytes, checkEnvelope } from './checks.ts';
import type { OpenRefusal } from './errors.ts';
import { type FrameKind, generationOf, KINDS, readSealed } from './frame-format.ts';
import type { KeyRing } from './key-ring.ts';
import { unpad } from './padding.ts';
import { ReplayWindow } from './replay-window.ts';
import { type FrameKey, openFrame } from './sframe.ts';

/** A MESSAGE as it came from the relay. `sender` is the one the relay stamped, 0 for HTTP. */
export interface SealedFrame {
  readonly sender: number;
  readonly envelope: Uint8Array | null;
  readonly body: Uint8Array;
}

/** What a frame held, or that it was refused. A refusal carries no data. */
export type Opened =
  | { readonly kind: FrameKind; readonly data: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: OpenRefusal };

/** KIDs whose key, and whose replay window, are remembered. */
const MAX_KIDS = 1024;

interface Known {
  readonly key: ChannelKey;
  readonly frameKey: Promise<FrameKey>;
}

/** The receiving half of a channel's encryption. */
export class Opener {
  readonly #binding: Binding;
  readonly #ring: KeyRing;
  readonly #known = new Lru<Known>(MAX_KIDS);
  /** Apart from the keys: only authentic frames get here, so that forged ones cannot push a window out. */
  readonly #windows = new Lru<ReplayWindow>(MAX_KIDS);

  constructor(binding: Binding, ring: KeyRing) {
    this.#binding = binding;
    this.#ring = ring;
  }

  /**
   * Decrypts one frame, whose bytes are copied. Nothing in a frame makes it reject. Frames may be decrypted in any order: what
   * it resolves with judges the frame, and is to be called in the order in which the frames came.
   */
  async decrypt(frame: SealedFrame): Promise<() => Opened> {
    const { sender, envelope, body: given }: Partial<SealedFrame> = frame ?? {};
    const body = checkBytes('bad_data', 'a body', given).slice();
    const metadata = this.#binding.metadata(checkEnvelope(envelope));
    const header = readSealed(body);
    if (typeof header === 'string') return () => refuse(header);
    if (!isSender(sender)) return () => refuse('malformed');
    const key = this.#ring.find(generationOf(header.kid));
    if (typeof key === 'string') return () => refuse(key);
    const id = `${sender} ${header.kid}`;
    const ctr = Number(header.ctr);
    const early = this.#windows.peek(id)?.check(ctr) ?? 'fresh';
    if (early !== 'fresh') return () => refuse(early);

    const frameKey = await this.#frameKey(id, key, header.kid, sender);
    const plaintext = await openFrame(frameKey, header, metadata, body);
    if (plaintext === undefined) return () => refuse('not_authentic');
    return () => {
      const freshness = this.#accept(id, ctr);
      return freshness === 'fresh' ? readPlaintext(plaintext) : refuse(freshness);
    };
  }

  /** The counters seen under a KID and sender. */
  window(sender: number, kid: bigint): ReplayWindow | undefined {
    return this.#windows.peek(`${sender} ${kid}`);
  }

  #frameKey(id: string, key: ChannelKey, kid: bigint, sender: number): Promise<FrameKey> {
    let known = this.#known.peek(id);
    if (known?.key !== key) {
      known = { key, frameKey: this.#binding.frameKey(key, kid, sender) };
      known.frameKey.catch(() => this.#known.delete(id));
    }
    this.#known.set(id, known);
    return known.frameKey;
  }

  #accept(id: string, ctr: number) {
    const window = this.#windows.peek(id) ?? new ReplayWindow();
    this.#windows.set(id, window);
    return window.accept(ctr);
  }
}

function readPlaintext(plaintext: Uint8Array): Opened {
  const content = unpad(plaintext);
  if (content === undefined) return refuse('bad_padding');
  const kind = KINDS[content.kind];
  return kind === undefined ? refuse('malformed') : { kind, data: content.data };
}

function refuse(reason: OpenRefusal): Opened {
  return { kind: 'refused', reason };
}

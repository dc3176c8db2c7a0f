import { type Binding, isSender } from './binding.ts';
import type { ChannelKey } from './channel-key.ts';
import { checkBytes, checkEnvelope, wrongType } from './checks.ts';
import { EncryptionError } from './errors.ts';
import { type FrameKind, KINDS, MAX_FRAMES_PER_KID } from './frame-format.ts';
import type { KeyRing } from './key-ring.ts';
import { type Padding, pad } from './padding.ts';
import { type FrameKey, sealFrame } from './sframe.ts';
import { randomBytes } from './web-crypto.ts';

const RANDOM_BYTES = 7;

/** One KID in use, with the counter of its next frame. */
interface Sealing {
  readonly generation: number;
  readonly key: ChannelKey;
  readonly kid: bigint;
  readonly frameKey: Promise<FrameKey>;
  next: number;
}

/** The sending half of a channel's encryption. A counter is never used twice with a key: each KID is new, and left behind when full. */
export class Sealer {
  readonly #binding: Binding;
  readonly #ring: KeyRing;
  readonly #padding: Padding;
  readonly #maxFramesPerKid: number;
  #sender: number | undefined;
  #sealing: Sealing | undefined;

  constructor(binding: Binding, ring: KeyRing, padding: Padding, maxFramesPerKid: number) {
    if (!Number.isInteger(maxFramesPerKid) || maxFramesPerKid < 1 || maxFramesPerKid > MAX_FRAMES_PER_KID) {
      throw wrongType('bad_limit', `maxFramesPerKid from 1 to ${MAX_FRAMES_PER_KID}`, maxFramesPerKid);
    }
    this.#binding = binding;
    this.#ring = ring;
    this.#padding = padding;
    this.#maxFramesPerKid = maxFramesPerKid;
  }

  /** Starts a connection, and with it a new KID. Throws `bad_sender`. */
  begin(sender: number): void {
    if (!isSender(sender)) throw wrongType('bad_sender', 'the sender of WELCOME, or 0 for HTTP', sender);
    this.#sender = sender;
    this.#sealing = undefined;
  }

  /** KID and counter of the frame sealed last; undefined before the first. */
  get last(): { readonly kid: bigint; readonly ctr: number } | undefined {
    const sealing = this.#sealing;
    return sealing === undefined ? undefined : { kid: sealing.kid, ctr: sealing.next - 1 };
  }

  /** Seals one frame. The counter is taken, and `data` and `envelope` are copied, before the call returns. */
  async seal(kind: FrameKind, data: Uint8Array, envelope: Uint8Array | null): Promise<Uint8Array> {
    if (this.#sender === undefined) throw new EncryptionError('not_begun', 'expected begin(sender) before seal');
    const index = KINDS.indexOf(kind);
    if (index < 0) throw wrongType('bad_kind', KINDS.join(' or '), kind);
    const plaintext = pad(index, checkBytes('bad_data', 'data', data), this.#padding);
    const metadata = this.#binding.metadata(checkEnvelope(envelope));
    const sealing = this.#current(this.#sender);
    const ctr = BigInt(sealing.next++);
    return sealFrame(await sealing.frameKey, { kid: sealing.kid, ctr }, metadata, plaintext);
  }

  #current(sender: number): Sealing {
    const { generation, key } = this.#ring;
    const now = this.#sealing;
    if (now?.generation === generation && now.key === key && now.next < this.#maxFramesPerKid) return now;
    const kid = freshKid(generation);
    const started = { generation, key, kid, frameKey: this.#binding.frameKey(key, kid, sender), next: 0 };
    started.frameKey.catch(() => {
      if (this.#sealing === started) this.#sealing = undefined;
    });
    this.#sealing = started;
    return started;
  }
}

/** One byte of generation and 56 random bits, of which the first eight are not all zero: see `frame-format`. */
function freshKid(generation: number): bigint {
  const random = randomBytes(RANDOM_BYTES);
  if (random[0] === 0) return freshKid(generation);
  return random.reduce((kid, byte) => (kid << 8n) | BigInt(byte), BigInt(generation));
}

import { isChannelName } from '../../protocol/channel.ts';
import { concat, utf8 } from '../bytes.ts';
import type { ChannelKey } from './channel-key.ts';
import { wrongType } from './checks.ts';
import { EncryptionError } from './errors.ts';
import { deriveFrameKey, type FrameKey } from './sframe.ts';

const LABEL = 'mayfly e2e 1\0';
const SEPARATOR = Uint8Array.of(0);
const BASE_KEY_BYTES = 64;
const NO_ENVELOPE = Uint8Array.of(0);
const ENVELOPE = Uint8Array.of(1);
const MAX_SENDER = 2 ** 32 - 1;

/** Ties frames to the place they were sealed for: a channel, by its name on the relay, a sender, an envelope. */
export class Binding {
  readonly #channel: Uint8Array;
  readonly #bare: Uint8Array;

  /** Throws `bad_channel` for anything but a channel name. */
  constructor(channel: unknown) {
    if (typeof channel !== 'string') throw wrongType('bad_channel', 'a channel name', channel);
    if (!isChannelName(channel)) throw new EncryptionError('bad_channel', 'expected a channel name');
    this.#channel = concat(utf8(channel), SEPARATOR);
    this.#bare = concat(this.#channel, NO_ENVELOPE);
  }

  /** SFrame metadata: the channel's name, 00, then 00 for no envelope, or 01 and the envelope. */
  metadata(envelope: Uint8Array | null): Uint8Array {
    return envelope === null ? this.#bare : concat(this.#channel, ENVELOPE, envelope);
  }

  /** The key of a KID and sender: docs/ENCRYPTION.md, section 3. */
  async frameKey(key: ChannelKey, kid: bigint, sender: number): Promise<FrameKey> {
    const ids = new DataView(new ArrayBuffer(12));
    ids.setBigUint64(0, kid);
    ids.setUint32(8, sender);
    const info = concat(utf8(LABEL), this.#channel, new Uint8Array(ids.buffer));
    return deriveFrameKey(await key.derive(info, BASE_KEY_BYTES), kid);
  }
}

/** Whether a number can be a sender on the wire; 0 stands for HTTP. */
export function isSender(sender: unknown): sender is number {
  return typeof sender === 'number' && Number.isInteger(sender) && sender >= 0 && sender <= MAX_SENDER;
}

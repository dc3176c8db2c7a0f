import { Binding } from '../../../../src/client/crypto/binding.ts';
import { ChannelCipher } from '../../../../src/client/crypto/channel-cipher.ts';
import { ChannelKey } from '../../../../src/client/crypto/channel-key.ts';
import { KeyRing } from '../../../../src/client/crypto/key-ring.ts';
import type { Opened, SealedFrame } from '../../../../src/client/crypto/opener.ts';
import type { Padding } from '../../../../src/client/crypto/padding.ts';
import { sealFrame } from '../../../../src/client/crypto/sframe.ts';

/** The channel, key and sender of these tests. */
export const CHANNEL = 'room.a';
export const KEY: ChannelKey = ChannelKey.fromBytes(new Uint8Array(32).fill(1));
export const SENDER = 0x1234_5678;

/** A member of a channel who holds a key, `KEY` by default, and has begun as `SENDER`. */
export function member(
  settings: {
    readonly channel?: string;
    readonly ring?: KeyRing;
    readonly padding?: Padding;
    readonly maxFramesPerKid?: number;
  } = {},
): ChannelCipher {
  const cipher = new ChannelCipher({ channel: CHANNEL, ring: new KeyRing(KEY), ...settings });
  cipher.begin(SENDER);
  return cipher;
}

/** Text as bytes. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}

/** A frame as the relay would deliver it. */
export function frame(body: Uint8Array, changes: Partial<SealedFrame> = {}): SealedFrame {
  return { sender: SENDER, envelope: null, body, ...changes };
}

/** What was opened, in short: its text, or why it was refused. */
export function brief(opened: Opened): string {
  return opened.kind === 'refused' ? opened.reason : Buffer.from(opened.data).toString();
}

/** Seals any plaintext, also one that no SDK would make, with a good key. */
export async function sealPlaintext(
  plaintext: Uint8Array,
  { kid = 0x00_ff00_0000_0000_01n, ctr = 0n }: { readonly kid?: bigint; readonly ctr?: bigint } = {},
): Promise<Uint8Array> {
  const binding = new Binding(CHANNEL);
  return sealFrame(await binding.frameKey(KEY, kid, SENDER), { kid, ctr }, binding.metadata(null), plaintext);
}

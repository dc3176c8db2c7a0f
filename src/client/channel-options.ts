import { Mode } from '../protocol/frames.ts';
import { ChannelCipher } from './crypto/channel-cipher.ts';
import type { ChannelKey } from './crypto/channel-key.ts';
import { KeyRing } from './crypto/key-ring.ts';
import type { Padding } from './crypto/padding.ts';
import { MayflyError } from './errors.ts';

/** How to use a channel. Either `key` or `plaintext: true` must be there: nothing is sent unencrypted by an oversight. */
export interface ChannelOptions {
  /** Encrypts what is published, and refuses what does not decrypt. A ring can be rotated, and shared by several channels. */
  readonly key?: ChannelKey | KeyRing;
  /** Sends and takes bodies as they are, readable by the relay. */
  readonly plaintext?: true;
  /** `r` to subscribe, `w` to publish; default `rw`. The token must permit all of it. */
  readonly modes?: 'r' | 'w' | 'rw';
  /** Whether own messages come back; default false. Needs `rw`. */
  readonly echo?: boolean;
  /** Whether to tell and learn who is there; default false. Needs `rw`, a key, and `p` in the token. */
  readonly presence?: boolean;
  /** Hides lengths; default `padme`. */
  readonly padding?: Padding;
  /** Most messages kept while there is no connection, to be sent on the next; default 0, so that publishing fails then. */
  readonly maxUnsent?: number;
  /** Most messages that may wait for a `for await` loop; past it the oldest are dropped, and a loss is told. Default 10,000. */
  readonly maxWaiting?: number;
}

/** The mode bits of ATTACH for these options. */
export function modesOf({ modes = 'rw', echo = false, presence = false }: ChannelOptions): number {
  const bits = (modes.includes('r') ? Mode.SUBSCRIBE : 0) | (modes.includes('w') ? Mode.PUBLISH : 0);
  return bits | (echo ? Mode.ECHO : 0) | (presence ? Mode.PRESENCE : 0);
}

/** The cipher of a channel; null where `plaintext` was asked for. Throws a MayflyError `key_required` when neither was, or both. */
export function cipherOf(channel: string, options: ChannelOptions): ChannelCipher | null {
  const { key, plaintext, padding = 'padme', presence = false, modes = 'rw' } = options;
  if ((key === undefined) === (plaintext === undefined)) {
    throw new MayflyError('key_required', 'give a key, or say plaintext: true');
  }
  if (presence && (key === undefined || modes !== 'rw')) {
    throw new MayflyError('key_required', 'presence is told in encrypted frames only: give a key, and modes rw');
  }
  if (key === undefined) return null;
  return new ChannelCipher({ channel, ring: key instanceof KeyRing ? key : new KeyRing(key), padding });
}

import { hasWildcard, parsePattern } from '../protocol/channel.ts';
import type { ERROR_STATUS } from '../protocol/codes.ts';
import { Mode } from '../protocol/frames.ts';
import { ChannelCipher } from './crypto/channel-cipher.ts';
import type { ChannelKey } from './crypto/channel-key.ts';
import { KeyRing } from './crypto/key-ring.ts';
import { checkPadding, type Padding } from './crypto/padding.ts';
import { subtle } from './crypto/web-crypto.ts';
import { MayflyError } from './errors.ts';
import { typeOf } from './given.ts';
import { abortSignal, checkOptions, flag, number, oneOf, other, type Rule } from './options.ts';

interface CommonOptions {
  /** `r` to subscribe, `w` to publish; default `rw`, and `r` for a pattern. The token must permit all of it. */
  readonly modes?: 'r' | 'w' | 'rw';
  /** Whether own messages come back; default false. Needs `rw`. */
  readonly echo?: boolean;
  /** Hides lengths; default `padme`. */
  readonly padding?: Padding;
  /** Most messages kept while there is no connection, to be sent on the next, and 16 MiB of them at most; default 0, so that publishing fails then. */
  readonly maxUnsent?: number;
  /** Most messages that may wait to be decrypted, or for a `for await` loop; what is over is dropped, and a loss is told. Default 10,000. */
  readonly maxWaiting?: number;
  /** Most bytes of memory that these may take, each; default 16,777,216. For the first listener 1 MiB at most. */
  readonly maxWaitingBytes?: number;
  /** Gives up attaching. */
  readonly signal?: AbortSignal;
}

interface EncryptedOptions extends CommonOptions {
  /** Encrypts what is published, and refuses what does not decrypt. A ring can be rotated, and shared by several channels. */
  readonly key: ChannelKey | KeyRing;
  readonly plaintext?: never;
  readonly presence?: false;
}

interface PresenceOptions extends CommonOptions {
  readonly key: ChannelKey | KeyRing;
  readonly plaintext?: never;
  readonly modes?: 'rw';
  /** Whether to tell and learn who is there; default false. Needs `rw`, a key, and `p` in the token. */
  readonly presence: boolean;
}

interface PlaintextOptions extends CommonOptions {
  /** Sends and takes bodies as they are, readable by the relay. */
  readonly plaintext: true;
  readonly key?: never;
  readonly presence?: false;
}

/** How to use a channel. Either `key` or `plaintext: true` must be there: nothing is sent unencrypted by an oversight. */
export type ChannelOptions = EncryptedOptions | PresenceOptions | PlaintextOptions;

const RULES: Readonly<Record<string, Rule>> = {
  key: other,
  plaintext: flag,
  modes: oneOf('r', 'w', 'rw'),
  echo: flag,
  presence: flag,
  padding: other,
  maxUnsent: number(0, true),
  maxWaiting: number(1, true),
  maxWaitingBytes: number(1, true),
  signal: abortSignal,
};

const DEFAULT_MAX_WAITING = 10_000;
const DEFAULT_MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** A channel's options with the defaults filled in. */
export interface ChannelSettings {
  /** The mode bits of ATTACH. */
  readonly modes: number;
  readonly maxUnsent: number;
  readonly maxWaiting: number;
  readonly maxWaitingBytes: number;
  /** A cipher for a channel of this name; null where `plaintext` was asked for. */
  readonly cipherFor: ((name: string) => ChannelCipher) | null;
}

/**
 * Reads options as a program may give them. Throws a TypeError for one that is none, a MayflyError `bad_channel`, `key_required` or `bad_modes`, or an EncryptionError
 * `bad_padding` or `no_web_crypto`.
 */
export function readOptions(name: string, options: ChannelOptions): ChannelSettings {
  const given = checkOptions('channel', options, RULES);
  if (typeof name !== 'string' || parsePattern(name) === undefined)
    throw refused('bad_channel', 'not a channel name or pattern, or reserved');
  const isPattern = hasWildcard(name);
  const { key, plaintext, modes = isPattern ? 'r' : 'rw' } = given;
  const { echo = false, presence = false, maxUnsent = 0 } = given;
  const { maxWaiting = DEFAULT_MAX_WAITING, maxWaitingBytes = DEFAULT_MAX_WAITING_BYTES } = given;
  const ring = KeyRing.of(key);
  const isKey = ring !== undefined;
  if ((key !== undefined && !isKey) || isKey === (plaintext === true)) {
    throw new MayflyError(
      'key_required',
      `give a ChannelKey or a KeyRing, of this copy of the package, or say plaintext: true; got ${typeOf(key)}`,
    );
  }
  if (isPattern && (modes !== 'r' || echo || presence)) throw refused('bad_modes', 'a pattern can only be read');
  if (presence && (!isKey || modes !== 'rw')) {
    throw new MayflyError('key_required', 'presence is told in encrypted frames only: give a key, and modes rw');
  }
  if (isKey) subtle();
  const padding = checkPadding(given.padding ?? 'padme');
  const letters = (modes.includes('r') ? Mode.SUBSCRIBE : 0) | (modes.includes('w') ? Mode.PUBLISH : 0);
  return {
    modes: letters | (echo ? Mode.ECHO : 0) | (presence ? Mode.PRESENCE : 0),
    maxUnsent,
    maxWaiting,
    maxWaitingBytes,
    cipherFor: ring === undefined ? null : (channel) => new ChannelCipher({ channel, ring, padding }),
  };
}

/** What the relay would say as well; a constant here, as the whole table is large for a page. */
const BAD_REQUEST: (typeof ERROR_STATUS)['bad_channel' | 'bad_modes'] = 400;

function refused(code: 'bad_channel' | 'bad_modes', message: string): MayflyError {
  return new MayflyError(code, message, { status: BAD_REQUEST });
}

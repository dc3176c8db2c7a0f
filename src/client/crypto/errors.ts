/**
 * Why a frame was not opened; constant, and never more detailed than this.
 * `not_encrypted` is not SFrame as of docs/ENCRYPTION.md; `malformed` is cut short or breaks its rules; `unknown_generation` and
 * `expired_generation` name a key this ring never had, or has dropped; `replayed` was opened before; `too_old` lies behind the replay
 * window; `not_authentic` was sealed with another key, or for another channel, sender or envelope, or was changed; `bad_padding` was
 * sealed by a member whose padding breaks the rules.
 */
export type OpenRefusal =
  | 'not_encrypted'
  | 'malformed'
  | 'unknown_generation'
  | 'expired_generation'
  | 'replayed'
  | 'too_old'
  | 'not_authentic'
  | 'bad_padding';

/** What a program did wrong; constant. */
export type EncryptionCode =
  | 'bad_key'
  | 'bad_data'
  | 'bad_kind'
  | 'bad_passphrase'
  | 'bad_generation'
  | 'bad_grace'
  | 'bad_channel'
  | 'bad_sender'
  | 'bad_padding'
  | 'bad_limit'
  | 'not_begun'
  | 'no_web_crypto';

/** Encryption was asked for in a way that cannot be done. Thrown before anything was encrypted; holds no secret, name or payload. */
export class EncryptionError extends Error {
  readonly code: EncryptionCode;

  constructor(code: EncryptionCode, message: string) {
    super(message);
    this.name = 'EncryptionError';
    this.code = code;
  }
}

import { utf8 } from '../bytes.ts';
import { optionsOf, typeOf } from '../given.ts';
import { checkBytes, checkKeyBytes, KEY_BYTES, wrongType } from './checks.ts';
import { EncryptionError } from './errors.ts';
import { type HeldKey, hkdf, importMaterial, randomBytes, subtle } from './web-crypto.ts';

/** OWASP Password Storage Cheat Sheet (2026), PBKDF2-HMAC-SHA512. */
const PASSPHRASE_ITERATIONS = 220_000;
/** NIST SP 800-63B (revision 3), section 5.1.1.1. */
const MIN_PASSPHRASE_CHARS = 8;
/** NIST SP 800-132, section 5.1. */
const MIN_SALT_BYTES = 16;
const TAG = 'ChannelKey';

/** The secret that the members of a channel share, for one generation. Its bytes appear nowhere unless asked for. */
export class ChannelKey {
  readonly #bytes: Uint8Array;
  #material: Promise<HeldKey> | undefined;

  private constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A new random key. */
  static random(): ChannelKey {
    return new ChannelKey(randomBytes(KEY_BYTES));
  }

  /** A key from 32 bytes of `toBytes`, or of any source as good as random. They are copied. Throws `bad_key` for anything else. */
  static fromBytes(bytes: Uint8Array): ChannelKey {
    return new ChannelKey(checkKeyBytes(bytes));
  }

  /**
   * A key from a passphrase of at least 8 characters (in Unicode NFC) and a salt of at least 16 bytes that all members use and that need
   * not be secret: PBKDF2-HMAC-SHA-512, 220,000 rounds, a good part of a second. Whoever records frames can try passphrases: a random
   * key is better. Rejects with `bad_passphrase`.
   */
  static async fromPassphrase(passphrase: string, options: { readonly salt: Uint8Array }): Promise<ChannelKey> {
    if (typeof passphrase !== 'string') throw wrongType('bad_passphrase', 'a passphrase as a string', passphrase);
    const salt = checkBytes('bad_passphrase', 'a salt', optionsOf(options).salt).slice();
    const text = passphrase.normalize('NFC');
    if ([...text].length < MIN_PASSPHRASE_CHARS || salt.length < MIN_SALT_BYTES) {
      throw new EncryptionError(
        'bad_passphrase',
        `expected at least ${MIN_PASSPHRASE_CHARS} characters and a salt of at least ${MIN_SALT_BYTES} bytes`,
      );
    }
    const material = await importMaterial('PBKDF2', utf8(text));
    const parameters = { name: 'PBKDF2', hash: 'SHA-512', salt, iterations: PASSPHRASE_ITERATIONS };
    return new ChannelKey(new Uint8Array(await subtle().deriveBits(parameters, material, KEY_BYTES * 8)));
  }

  /** @internal A key as a program gave it. Throws `bad_key` for anything else, also for a key of another copy of the package. */
  static check(given: unknown): ChannelKey {
    if (ChannelKey.is(given)) return given;
    const where = typeOf(given) === TAG ? ' of this copy of the package' : '';
    throw wrongType('bad_key', `a ChannelKey${where}`, given);
  }

  /** @internal Whether a value is a key, made by this copy of the package. */
  static is(value: unknown): value is ChannelKey {
    return typeof value === 'object' && value !== null && #bytes in value;
  }

  /** Its name in messages. */
  get [Symbol.toStringTag](): string {
    return TAG;
  }

  /** The key itself, for handing to another member over a channel that is safe. */
  toBytes(): Uint8Array {
    return this.#bytes.slice();
  }

  /** @internal HKDF-SHA-512 of the key with an empty salt. */
  async derive(info: Uint8Array, length: number): Promise<Uint8Array> {
    this.#material ??= importMaterial('HKDF', this.#bytes);
    return hkdf(await this.#material, info, length);
  }
}

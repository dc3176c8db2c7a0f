import { nowMs } from '../clock.ts';
import { optionsOf, typeOf } from '../given.ts';
import { ChannelKey } from './channel-key.ts';
import { wrongType } from './checks.ts';
import { EncryptionError } from './errors.ts';

/** Milliseconds from any start; they never fall. */
export interface Clock {
  nowMs(): number;
}

/** Generations are one byte of the key id. */
const GENERATIONS = 256;
const DEFAULT_GRACE_MS = 60_000;
const TAG = 'KeyRing';

interface Entry {
  /** Undefined once it has expired: the key is let go, that it was there is not. */
  key: ChannelKey | undefined;
  expiresAtMs: number;
}

/**
 * The keys of a channel by generation. Frames are sealed with the current one; frames of earlier ones open until their grace has run out,
 * frames of a prepared one at once. One ring can serve several channels: every frame's key depends on the channel's name too.
 */
export class KeyRing {
  readonly #clock: Clock;
  readonly #entries = new Map<number, Entry>();
  #generation: number;
  #key: ChannelKey;

  /** `generation` (0 to 255, default 0) is where the other members are. Throws `bad_key` or `bad_generation`. */
  constructor(key: ChannelKey, options?: { readonly generation?: number; readonly clock?: Clock }) {
    const { generation = 0, clock = { nowMs } } = optionsOf(options);
    if (typeof clock?.nowMs !== 'function') throw new TypeError(`expected a clock with nowMs, got ${typeOf(clock)}`);
    this.#clock = clock;
    this.#generation = checkGeneration(generation);
    this.#key = ChannelKey.check(key);
    this.#keep(this.#generation, key);
  }

  /** @internal The ring of a key, or a ring itself, as a program gave it; undefined for anything else. */
  static of(given: unknown): KeyRing | undefined {
    if (ChannelKey.is(given)) return new KeyRing(given);
    return typeof given === 'object' && given !== null && #entries in given ? given : undefined;
  }

  /** Its name in messages. */
  get [Symbol.toStringTag](): string {
    return TAG;
  }

  /** The generation that frames are sealed with. */
  get generation(): number {
    return this.#generation;
  }

  /** The key that frames are sealed with. */
  get key(): ChannelKey {
    return this.#key;
  }

  /**
   * Learns the key of a coming generation, by default the next: its frames open from now on, nothing is sealed with it yet. When all
   * members have prepared before the first rotates, no frame is lost. Returns the generation. Throws `bad_generation` for the current one, or `bad_key`.
   */
  prepare(key: ChannelKey, options?: { readonly generation?: number }): number {
    const { generation = (this.#generation + 1) % GENERATIONS } = optionsOf(options);
    if (checkGeneration(generation) === this.#generation)
      throw new EncryptionError('bad_generation', 'expected another generation');
    this.#keep(generation, ChannelKey.check(key));
    return generation;
  }

  /**
   * Seals with `key` from now on, as the next generation unless another is given; frames of the one before open for `graceMs` more
   * (default 60,000; 0 ends it now). Returns the new generation. Throws `bad_generation`, `bad_grace` or `bad_key` and changes nothing.
   */
  rotate(key: ChannelKey, options?: { readonly graceMs?: number; readonly generation?: number }): number {
    const { graceMs = DEFAULT_GRACE_MS, ...rest } = optionsOf(options);
    if (!Number.isFinite(graceMs) || graceMs < 0) throw wrongType('bad_grace', 'graceMs from 0', graceMs);
    const generation = this.prepare(key, rest);
    this.#entries.set(this.#generation, { key: this.#key, expiresAtMs: this.#clock.nowMs() + graceMs });
    this.#generation = generation;
    this.#key = key;
    return generation;
  }

  /** The key that opens frames of a generation, or why there is none. */
  find(generation: number): ChannelKey | 'unknown_generation' | 'expired_generation' {
    const entry = this.#entries.get(generation);
    if (entry === undefined) return 'unknown_generation';
    if (this.#clock.nowMs() >= entry.expiresAtMs) entry.key = undefined;
    return entry.key ?? 'expired_generation';
  }

  #keep(generation: number, key: ChannelKey): void {
    this.#entries.set(generation, { key, expiresAtMs: Number.POSITIVE_INFINITY });
  }
}

function checkGeneration(generation: number): number {
  if (Number.isInteger(generation) && generation >= 0 && generation < GENERATIONS) return generation;
  throw wrongType('bad_generation', `a generation from 0 to ${GENERATIONS - 1}`, generation);
}

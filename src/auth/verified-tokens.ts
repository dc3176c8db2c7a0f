import { createHash } from 'node:crypto';
import type { Grant, VerifiedToken } from '../core/grants.ts';

/** Bytes of memory that the remembered tokens of all tenants may take together. */
const MAX_BYTES = 32 * 1024 * 1024;

/** What V8 takes, measured and rounded up: for a remembered token, for each of its grants, and for each segment of a grant, all without their text. */
const TOKEN_BYTES = 1024;
const GRANT_BYTES = 128;
const SEGMENT_BYTES = 48;
/** Text is counted as if it were no Latin-1. */
const CHARACTER_BYTES = 2;

/** A good token, and the digest of the spelling in which it came. */
interface Remembered {
  readonly verified: VerifiedToken;
  readonly spelling: string;
  readonly bytes: number;
}

/** The tokens of one tenant, by the digest of what was signed, the least recently used first. */
interface Shelf {
  readonly tokens: Map<string, Remembered>;
  bytes: number;
}

/**
 * Good tokens, remembered in RAM until they expire. Each tenant has an equal share of the memory and can push out its own tokens alone.
 * A token stands under the digest of what was signed, so that another signature of the same (ECDSA has two of each) takes its place and no more.
 */
export class VerifiedTokens {
  readonly #shelves: ReadonlyMap<string, Shelf>;
  readonly #shelfOf = new Map<string, Shelf>();
  readonly #maxShelfBytes: number;
  /** Nothing expires sooner, so that there is seldom anything to look for. */
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(tenants: readonly string[], maxBytes = MAX_BYTES) {
    this.#shelves = new Map(tenants.map((tenant) => [tenant, { tokens: new Map(), bytes: 0 }]));
    this.#maxShelfBytes = maxBytes / tenants.length;
  }

  /** Tokens remembered, and the bytes they take, by estimate. */
  get size(): { readonly tokens: number; readonly bytes: number } {
    let bytes = 0;
    for (const shelf of this.#shelves.values()) bytes += shelf.bytes;
    return { tokens: this.#shelfOf.size, bytes };
  }

  /** The token that was remembered in this very spelling, its times not looked at. */
  find(token: string): VerifiedToken | undefined {
    const key = keyOf(token);
    const shelf = this.#shelfOf.get(key);
    const remembered = shelf?.tokens.get(key);
    if (shelf === undefined || remembered?.spelling !== digest(token)) return undefined;
    shelf.tokens.delete(key);
    shelf.tokens.set(key, remembered);
    return remembered.verified;
  }

  /** Remembers a good token, unless it is larger than its tenant's share. */
  remember(token: string, verified: VerifiedToken): void {
    const shelf = this.#shelves.get(verified.tenant);
    const bytes = bytesOf(verified);
    if (shelf === undefined || bytes > this.#maxShelfBytes) return;
    const key = keyOf(token);
    this.#forget(shelf, key);
    shelf.tokens.set(key, { verified, spelling: digest(token), bytes });
    shelf.bytes += bytes;
    this.#shelfOf.set(key, shelf);
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, verified.expiresAtMs);
    for (const oldest of shelf.tokens.keys()) {
      if (shelf.bytes <= this.#maxShelfBytes) break;
      this.#forget(shelf, oldest);
    }
  }

  /** Forgets what has expired. */
  forgetExpired(nowMs: number): void {
    if (nowMs < this.#nextExpiryMs) return;
    this.#nextExpiryMs = Number.POSITIVE_INFINITY;
    for (const shelf of this.#shelves.values()) {
      for (const [key, { verified }] of shelf.tokens) {
        if (verified.expiresAtMs <= nowMs) this.#forget(shelf, key);
        else this.#nextExpiryMs = Math.min(this.#nextExpiryMs, verified.expiresAtMs);
      }
    }
  }

  #forget(shelf: Shelf, key: string): void {
    shelf.bytes -= shelf.tokens.get(key)?.bytes ?? 0;
    shelf.tokens.delete(key);
    this.#shelfOf.delete(key);
  }
}

/** The digest of header and payload: what the tenant's server signed. */
function keyOf(token: string): string {
  return digest(token.slice(0, token.lastIndexOf('.')));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}

function bytesOf({ sub, dev = '', jti = '', can, not }: VerifiedToken): number {
  const grants = (list: readonly Grant[]): number => list.reduce((sum, { pattern }) => sum + grantBytes(pattern), 0);
  return TOKEN_BYTES + CHARACTER_BYTES * (sub.length + dev.length + jti.length) + grants(can) + grants(not);
}

function grantBytes(pattern: readonly string[]): number {
  return pattern.reduce((sum, segment) => sum + SEGMENT_BYTES + CHARACTER_BYTES * segment.length, GRANT_BYTES);
}

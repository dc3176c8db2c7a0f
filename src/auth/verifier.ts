import { createHash } from 'node:crypto';
import type { VerifiedToken } from '../core/grants.ts';
import type { Refusal } from '../protocol/codes.ts';
import type { KeyRing } from './tenants.ts';
import { verifyToken } from './tokens.ts';

/** Most tokens remembered: a few MB. */
const MAX_REMEMBERED = 10_000;

/**
 * Verifies tokens under the keys in force, and remembers good ones, by SHA-256 and until they expire, so that a server publishing by HTTP
 * pays for a signature once. What can change sooner (revocations, ceilings) is not decided here.
 */
export class TokenVerifier {
  readonly #maxTokenTtlSeconds: number;
  readonly #remembered = new Map<string, VerifiedToken>();
  #keys: KeyRing;

  constructor(keys: KeyRing, maxTokenTtlSeconds: number) {
    this.#keys = keys;
    this.#maxTokenTtlSeconds = maxTokenTtlSeconds;
  }

  /** Puts other keys in force; nothing verified under the old ones is remembered. */
  setKeys(keys: KeyRing): void {
    this.#keys = keys;
    this.#remembered.clear();
  }

  /** The verified token, or why it is refused. Never throws for what a token holds. */
  async verify(token: string | null, nowMs: number): Promise<VerifiedToken | Refusal> {
    const digest = token === null ? '' : createHash('sha256').update(token).digest('base64');
    const remembered = this.#remembered.get(digest);
    if (remembered !== undefined && remembered.expiresAtMs > nowMs) return remembered;
    const keys = this.#keys;
    const verified = await verifyToken(token, { keys, maxTokenTtlSeconds: this.#maxTokenTtlSeconds, nowMs });
    if (!('status' in verified) && keys === this.#keys) this.#remember(digest, verified);
    return verified;
  }

  #remember(digest: string, verified: VerifiedToken): void {
    this.#remembered.delete(digest);
    this.#remembered.set(digest, verified);
    if (this.#remembered.size <= MAX_REMEMBERED) return;
    const [oldest] = this.#remembered.keys();
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

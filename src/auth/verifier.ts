import type { VerifiedToken } from '../core/grants.ts';
import { type TokenTimes, untimely } from '../core/token-times.ts';
import type { Refusal } from '../protocol/codes.ts';
import { MAX_TOKEN_BYTES } from '../protocol/frames.ts';
import type { KeyRing } from './tenants.ts';
import { verifyToken } from './tokens.ts';
import { VerifiedTokens } from './verified-tokens.ts';

/**
 * Verifies tokens under the keys in force, and remembers good ones, so that a server publishing by HTTP pays for a signature once.
 * Times are looked at on every use; revocations and ceilings are not decided here.
 */
export class TokenVerifier {
  readonly #times: TokenTimes;
  #keys: KeyRing;
  #remembered: VerifiedTokens;

  constructor(keys: KeyRing, times: TokenTimes) {
    this.#times = times;
    this.#keys = keys;
    this.#remembered = new VerifiedTokens([...keys.keys()]);
  }

  /** Puts other keys in force; nothing verified under the old ones is remembered, also not what is being verified now. */
  setKeys(keys: KeyRing): void {
    this.#keys = keys;
    this.#remembered = new VerifiedTokens([...keys.keys()]);
  }

  /** The verified token, or why it is refused. Never throws for what a token holds. */
  async verify(token: string | null, nowMs: number): Promise<VerifiedToken | Refusal> {
    const remembered = this.#remembered;
    const known = token === null || token.length > MAX_TOKEN_BYTES ? undefined : remembered.find(token);
    if (known !== undefined) return untimely(known, nowMs, this.#times) ?? known;
    const verified = await verifyToken(token, { keys: this.#keys, times: this.#times, nowMs });
    if (token !== null && !('status' in verified)) remembered.remember(token, verified);
    return verified;
  }

  /** Forgets what has expired, so that it takes no memory until somebody asks. */
  forgetExpired(nowMs: number): void {
    this.#remembered.forgetExpired(nowMs);
  }
}

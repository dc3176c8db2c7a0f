import { FrameType } from '../protocol/frames.ts';
import { type BackoffOptions, backoffMs } from './backoff.ts';
import type { RelayEvents } from './connection.ts';
import { asMayflyError } from './errors.ts';
import type { Events } from './events.ts';
import type { Link } from './link.ts';
import { readToken, type TokenSource } from './tokens.ts';

/** Puts fresh tokens in force on a link; one renewal at a time. */
export class Renewal {
  readonly #token: TokenSource;
  readonly #backoff: BackoffOptions;
  readonly #events: Events<RelayEvents>;
  #current: Promise<void> | undefined;

  constructor({ token, backoff }: { token: TokenSource; backoff: BackoffOptions }, events: Events<RelayEvents>) {
    this.#token = token;
    this.#backoff = backoff;
    this.#events = events;
  }

  /** Renews now, or joins the renewal under way. Rejects with `token_failed` or the relay's code; the token before stays in force then. */
  renew(link: Link): Promise<void> {
    this.#current ??= this.#renew(link).finally(() => {
      this.#current = undefined;
    });
    return this.#current;
  }

  /** Renews ahead of expiry, again and again until it works or the time is over. A token that is only a string cannot be renewed. */
  async expiring(link: Link, inMs: number): Promise<void> {
    if (typeof this.#token === 'string') return;
    const endMs = Date.now() + inMs;
    for (let attempt = 0; link.isOpen; attempt++) {
      try {
        await this.renew(link);
        return;
      } catch (error) {
        if (!link.isOpen) return; // the next connection asks for a token anyway
        this.#events.emit('error', asMayflyError(error));
      }
      const waitMs = backoffMs(attempt, this.#backoff);
      if (Date.now() + waitMs >= endMs) return;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  async #renew(link: Link): Promise<void> {
    const token = await readToken(this.#token);
    const frame = await link.request((ref) => [FrameType.RENEW, ref, token]);
    if (frame[0] === FrameType.RENEWED) this.#events.emit('renewed', { expiry: frame[2] });
  }
}

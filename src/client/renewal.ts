import { FrameType } from '../protocol/frames.ts';
import { backoffMs } from './backoff.ts';
import type { ConnectionOptions, ConnectionOwner } from './connection.ts';
import { asMayflyError } from './errors.ts';
import type { Link } from './link.ts';
import { delay } from './patience.ts';
import { readToken } from './tokens.ts';

/** Puts fresh tokens in force; on each link one renewal at a time. */
export class Renewal {
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  #current: { readonly link: Link; readonly renewing: Promise<void> } | undefined;
  #expiring: Link | undefined;

  constructor(options: ConnectionOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  /** Renews now, or joins the renewal under way. Rejects with `token_failed` or the relay's code; the token before stays in force then. */
  renew(link: Link): Promise<void> {
    if (this.#current?.link === link) return this.#current.renewing;
    const renewing = this.#renew(link).finally(() => {
      if (this.#current?.link === link) this.#current = undefined;
    });
    this.#current = { link, renewing };
    return renewing;
  }

  /** Renews ahead of expiry, again and again until it works or the time is over. A token that is only a string cannot be renewed. */
  async expiring(link: Link, inMs: number): Promise<void> {
    if (typeof this.#options.token === 'string' || this.#expiring === link) return;
    this.#expiring = link;
    const endMs = Date.now() + inMs;
    for (let attempt = 0; link.isOpen && !(await this.#tried(link)); attempt++) {
      const waitMs = backoffMs(attempt, this.#options.backoff);
      if (Date.now() + waitMs >= endMs) break;
      await delay(waitMs, link.over);
    }
    if (this.#expiring === link) this.#expiring = undefined;
  }

  /** Whether renewing worked, or is no use any more. */
  async #tried(link: Link): Promise<boolean> {
    try {
      await this.renew(link);
      return true;
    } catch (error) {
      if (!link.isOpen) return true; // the next connection asks for a token anyway
      this.#owner.events.emit('error', asMayflyError(error));
      return false;
    }
  }

  async #renew(link: Link): Promise<void> {
    const token = await readToken(this.#options.token, this.#options.connectTimeoutMs, link.over);
    await link.request(
      (ref) => [FrameType.RENEW, ref, token],
      FrameType.RENEWED,
      (frame) => {
        this.#owner.renewed(link);
        this.#owner.events.emit('renewed', { expiry: frame[2] });
      },
    );
  }
}

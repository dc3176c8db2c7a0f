import { FrameType } from '../protocol/frames.ts';
import { type BackoffOptions, backoffMs } from './backoff.ts';
import { nowMs } from './clock.ts';
import { asMayflyError, type MayflyError } from './errors.ts';
import type { Link } from './link.ts';
import { delay } from './patience.ts';
import type { TokenReason, Tokens } from './tokens.ts';

/** Where a renewal gets what it needs. */
export interface RenewalPorts {
  readonly tokens: Tokens;
  readonly backoff: BackoffOptions;
  /** A fresh token is in force on a link until `expiry`, seconds since 1970. */
  readonly renewed: (link: Link, expiry: number) => void;
  /** Takes note of a renewal that failed, and is tried again. */
  readonly failed: (error: MayflyError) => void;
  /** Takes note that there will be no more tokens. */
  readonly denied: (error: MayflyError) => void;
}

/** Between the starts of two renewals that the relay asked for lies as much time as the first one was given, within these. */
const MIN_PAUSE_MS = 5000;
const MAX_PAUSE_MS = 30_000;

/** Puts fresh tokens in force; on each link one renewal at a time. */
export class Renewal {
  readonly #ports: RenewalPorts;
  #current: { readonly link: Link; readonly renewing: Promise<void> } | undefined;
  #expiring: Link | undefined;
  #notBeforeMs = Number.NEGATIVE_INFINITY;

  constructor(ports: RenewalPorts) {
    this.#ports = ports;
  }

  /** Renews now, or joins the renewal under way. Rejects as `Tokens.read`, or with the relay's code; the token before stays in force then. */
  renew(link: Link, reason: TokenReason): Promise<void> {
    if (this.#current?.link === link) return this.#current.renewing;
    const renewing = this.#renew(link, reason).finally(() => {
      if (this.#current?.link === link) this.#current = undefined;
    });
    this.#current = { link, renewing };
    return renewing;
  }

  /**
   * Renews ahead of expiry, again and again until it works or the time is over. A token that is only a string cannot be renewed. What the
   * relay says meanwhile, or too early for an honest one, is one request.
   */
  async expiring(link: Link, inMs: number): Promise<void> {
    if (!this.#ports.tokens.areMany || this.#expiring === link) return;
    this.#expiring = link;
    const endMs = nowMs() + inMs;
    if (this.#notBeforeMs > nowMs()) await delay(this.#notBeforeMs - nowMs(), link.over);
    this.#notBeforeMs = nowMs() + Math.min(Math.max(inMs, MIN_PAUSE_MS), MAX_PAUSE_MS);
    let reason: TokenReason = { reason: 'expiring' };
    for (let attempt = 0; link.isOpen; attempt++) {
      const error = await this.#failure(link, reason);
      const waitMs = backoffMs(attempt, this.#ports.backoff);
      if (error === undefined || nowMs() + waitMs >= endMs) break;
      if (error.status !== undefined) reason = { reason: 'refused', code: error.code };
      await delay(waitMs, link.over);
    }
    if (this.#expiring === link) this.#expiring = undefined;
  }

  /** Why renewing failed; undefined when it did not, or is no use any more. */
  async #failure(link: Link, reason: TokenReason): Promise<MayflyError | undefined> {
    try {
      await this.renew(link, reason);
    } catch (thrown) {
      if (!link.isOpen) return undefined; // the next connection asks for a token anyway
      const error = asMayflyError(thrown);
      this.#ports.failed(error);
      return error;
    }
    return undefined;
  }

  async #renew(link: Link, reason: TokenReason): Promise<void> {
    const { tokens, renewed, denied } = this.#ports;
    const token = await tokens.read(reason, link.over).catch((error: MayflyError) => {
      if (error.code === 'token_denied') denied(error);
      throw error;
    });
    await link.request(
      (ref) => [FrameType.RENEW, ref, token],
      FrameType.RENEWED,
      (frame) => renewed(link, frame[2]),
    );
  }
}

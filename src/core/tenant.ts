import { type Refusal, refusal } from '../protocol/codes.ts';
import type { Channel } from './channel.ts';
import type { KeyCeiling, Rules, VerifiedToken } from './grants.ts';
import { TokenBucket } from './rate-limit.ts';
import { Revocations } from './revocations.ts';
import type { PatternAttachment, Session } from './session.ts';
import { Share } from './share.ts';

/** Limits of one tenant: open connections, live channels, frames published per second. */
export interface TenantLimits {
  readonly connections: number;
  readonly channels: number;
  readonly framesPerSecond: number;
}

/** Everything the relay knows of one tenant. Nothing in it is reachable from another. */
export class Tenant {
  readonly name: string;
  readonly channels = new Map<string, Channel>();
  readonly sessions = new Set<Session>();
  readonly patterns = new Set<PatternAttachment>();
  readonly revocations = new Revocations();
  readonly frameBucket: TokenBucket;
  readonly share = new Share();
  limits: TenantLimits;
  #keys: ReadonlyMap<string, KeyCeiling>;

  constructor(name: string, limits: TenantLimits, keys: ReadonlyMap<string, KeyCeiling>) {
    this.name = name;
    this.limits = limits;
    this.#keys = keys;
    this.frameBucket = new TokenBucket(limits.framesPerSecond);
  }

  /** New limits and keys hold from now on; live sessions are admitted anew by the caller. */
  configure(limits: TenantLimits, keys: ReadonlyMap<string, KeyCeiling>): void {
    this.limits = limits;
    this.#keys = keys;
    this.frameBucket.setRate(limits.framesPerSecond);
  }

  /** The rules a verified token lives by at this moment, or why it is not good (any more): its key is gone or it was revoked. */
  admit(token: VerifiedToken): Rules | Refusal {
    const key = this.#keys.get(token.kid);
    if (key === undefined || key.thumbprint !== token.keyThumbprint)
      return refusal('token_invalid', 'the key is no longer in use');
    if (this.revocations.isRevoked(token)) return refusal('token_revoked', 'a revocation covers the token');
    return {
      can: token.can,
      ceiling: key.ceiling,
      not: [...token.not, ...this.revocations.denialsFor(token)],
      ops: token.ops.filter((op) => key.ops.includes(op)),
    };
  }
}

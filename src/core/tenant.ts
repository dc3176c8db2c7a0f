import { type Refusal, refusal } from '../protocol/codes.ts';
import { Births } from './births.ts';
import type { Channel } from './channel.ts';
import type { Grant, KeyCeiling, Rules, VerifiedToken } from './grants.ts';
import { PatternTree } from './pattern-tree.ts';
import { TokenBucket } from './rate-limit.ts';
import { Revocations } from './revocations.ts';
import type { PatternAttachment, Session } from './session.ts';
import { Share } from './share.ts';
import { User } from './user.ts';

/** Limits of one tenant: open connections and live channels, of all and of one user; frames published, and messages handed to connections, per second. */
export interface TenantLimits {
  readonly connections: number;
  readonly connectionsPerUser: number;
  readonly channels: number;
  readonly channelsPerUser: number;
  readonly framesPerSecond: number;
  readonly deliveriesPerSecond: number;
  /** Bytes that may wait for its connections to read. */
  readonly backlogBytes: number;
}

/** Everything the relay knows of one tenant. Nothing in it is reachable from another. */
export class Tenant {
  readonly name: string;
  readonly channels = new Map<string, Channel>();
  readonly sessions = new Set<Session>();
  readonly patterns = new PatternTree<PatternAttachment>();
  readonly births = new Births();
  /** Channels that only patterns keep alive, the one left behind first in front. */
  readonly orphans = new Set<Channel>();
  readonly revocations = new Revocations();
  readonly frameBucket: TokenBucket;
  readonly share: Share;
  /** What the tenant's own server orders does not wait behind what its users send. */
  readonly authority = new Share();
  limits: TenantLimits;
  readonly #users = new Map<string, User>();
  #keys: ReadonlyMap<string, KeyCeiling>;

  constructor(name: string, limits: TenantLimits, keys: ReadonlyMap<string, KeyCeiling>) {
    this.name = name;
    this.limits = limits;
    this.#keys = keys;
    this.frameBucket = new TokenBucket(limits.framesPerSecond);
    this.share = new Share(limits.deliveriesPerSecond);
  }

  /** The user of that `sub`; forgotten again by `release`. */
  user(sub: string): User {
    const known = this.#users.get(sub);
    if (known !== undefined) return known;
    const user = new User(sub);
    this.#users.set(sub, user);
    return user;
  }

  /** Forgets a user to whom nothing is charged any more. */
  release(user: User): void {
    if (user.connectionCount === 0 && user.channelCount === 0) this.#users.delete(user.sub);
  }

  /** New limits and keys hold from now on; live sessions are admitted anew by the caller. */
  configure(limits: TenantLimits, keys: ReadonlyMap<string, KeyCeiling>): void {
    this.limits = limits;
    this.#keys = new Map([...keys].map(([kid, key]) => [kid, keepCeiling(this.#keys.get(kid), key)]));
    this.frameBucket.setRate(limits.framesPerSecond);
    this.share.setDeliveries(limits.deliveriesPerSecond);
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
      not: token.not,
      ops: token.ops.filter((op) => key.ops.includes(op)),
      withdrawn: this.revocations.withdrawnFrom(token),
    };
  }
}

/** The new key, with the ceiling of the old one if it is the same: sessions then need not be looked at again. */
function keepCeiling(old: KeyCeiling | undefined, key: KeyCeiling): KeyCeiling {
  if (old === undefined || !isSameCeiling(old.ceiling, key.ceiling)) return key;
  return { thumbprint: key.thumbprint, ceiling: old.ceiling, ops: key.ops };
}

function isSameCeiling(old: KeyCeiling['ceiling'], ceiling: KeyCeiling['ceiling']): boolean {
  const isSame = (grant: Grant, i: number): boolean =>
    grant.permissions === ceiling[i]?.permissions && grant.pattern.join('.') === ceiling[i].pattern.join('.');
  return old.length === ceiling.length && old.every(isSame);
}

import type { Pattern } from '../protocol/channel.ts';
import type { VerifiedToken, Withdrawn } from './grants.ts';
import { PatternTree } from './pattern-tree.ts';

/** Whose tokens a revocation covers: by token id, user, user and device, key, or, for one channel or pattern, everyone's. */
export type Target =
  | { readonly jti: string }
  | { readonly sub: string; readonly dev?: string }
  | { readonly kid: string }
  | { readonly channel: Pattern };

/** One revocation: covers tokens issued before `beforeMs`; at `untilMs` all of them have expired, and it may be forgotten (core/token-times). */
export interface Revocation {
  readonly target: Target;
  readonly beforeMs: number;
  readonly untilMs: number;
}

/** Most revocations remembered for one tenant: a few MB. */
const MAX_REMEMBERED = 10_000;
/** When none more fits, those that are over are looked for at most once in this time. */
const PRUNE_PERIOD_MS = 1000;

/** A moment by both clocks (core/ports): the one that tokens are dated by, which can be set, and the one that nobody sets. */
export interface Moment {
  readonly nowMs: number;
  readonly monotonicMs: number;
}

/** A revocation as it is remembered: until both clocks say that it is over, lest one set forward by mistake ends it. */
interface Remembered {
  readonly beforeMs: number;
  readonly untilMs: number;
  readonly untilMonotonicMs: number;
}

/** A revocation of a channel or pattern, found by it. */
interface ChannelRevocation {
  readonly pattern: Pattern;
  remembered: Remembered;
}

/** The revocations in force for one tenant, in RAM, one for each target. Times in milliseconds since 1970. */
export class Revocations {
  readonly #tokens = new Map<string, Remembered>();
  readonly #channels = new Map<string, ChannelRevocation>();
  readonly #tree = new PatternTree<ChannelRevocation>();
  #prunedAtMs = Number.NEGATIVE_INFINITY;

  /** Adds one, or extends the one there is for its target; false when too many are remembered already. */
  add({ target, beforeMs, untilMs }: Revocation, at: Moment): boolean {
    const key = keyOf(target);
    const channel = this.#channels.get(key);
    const before = this.#tokens.get(key) ?? channel?.remembered;
    if (before === undefined && this.#isFull(at)) return false;
    const remembered = {
      beforeMs: Math.max(beforeMs, before?.beforeMs ?? 0),
      untilMs: Math.max(untilMs, before?.untilMs ?? 0),
      untilMonotonicMs: Math.max(
        at.monotonicMs + untilMs - at.nowMs,
        before?.untilMonotonicMs ?? Number.NEGATIVE_INFINITY,
      ),
    };
    if (!('channel' in target)) this.#tokens.set(key, remembered);
    else if (channel !== undefined) channel.remembered = remembered;
    else this.#addChannel(key, { pattern: target.channel, remembered });
    return true;
  }

  /** Whether the whole token is revoked. */
  isRevoked(token: VerifiedToken): boolean {
    return targetsOf(token).some((target) => {
      const revocation = this.#tokens.get(keyOf(target));
      return revocation !== undefined && token.issuedAtMs < revocation.beforeMs;
    });
  }

  /** What is taken away from the token on channels, now and later. */
  withdrawnFrom({ issuedAtMs }: VerifiedToken): Withdrawn {
    const applies = ({ remembered }: ChannelRevocation): boolean => issuedAtMs < remembered.beforeMs;
    return {
      covers: (channel) => this.#tree.size > 0 && this.#tree.someCovering(channel, applies),
      touches: (pattern) => this.#tree.size > 0 && this.#tree.someOverlapping(pattern, applies),
    };
  }

  /** Whether none is left that may still cover a token. */
  isOver(at: Moment): boolean {
    this.#prune(at);
    return this.#tokens.size + this.#channels.size === 0;
  }

  #isFull(at: Moment): boolean {
    const isFull = (): boolean => this.#tokens.size + this.#channels.size >= MAX_REMEMBERED;
    if (isFull() && at.monotonicMs - this.#prunedAtMs >= PRUNE_PERIOD_MS) this.#prune(at);
    return isFull();
  }

  #addChannel(key: string, revocation: ChannelRevocation): void {
    this.#channels.set(key, revocation);
    this.#tree.add(revocation);
  }

  #prune(at: Moment): void {
    this.#prunedAtMs = at.monotonicMs;
    for (const [key, remembered] of this.#tokens) if (isPast(remembered, at)) this.#tokens.delete(key);
    for (const [key, revocation] of this.#channels) {
      if (!isPast(revocation.remembered, at)) continue;
      this.#channels.delete(key);
      this.#tree.delete(revocation);
    }
  }
}

function isPast({ untilMs, untilMonotonicMs }: Remembered, { nowMs, monotonicMs }: Moment): boolean {
  return untilMs <= nowMs && untilMonotonicMs <= monotonicMs;
}

/** Whether the revocation covers the whole token. */
export function coversToken({ target, beforeMs }: Revocation, token: VerifiedToken): boolean {
  if (token.issuedAtMs >= beforeMs || 'channel' in target) return false;
  if ('jti' in target) return target.jti === token.jti;
  if ('kid' in target) return target.kid === token.kid;
  return target.sub === token.sub && (target.dev === undefined || target.dev === token.dev);
}

function targetsOf({ jti, sub, dev, kid }: VerifiedToken): Target[] {
  const targets: Target[] = [{ kid }, { sub }];
  if (jti !== undefined) targets.push({ jti });
  if (dev !== undefined) targets.push({ sub, dev });
  return targets;
}

function keyOf(target: Target): string {
  if ('jti' in target) return `jti ${target.jti}`;
  if ('kid' in target) return `kid ${target.kid}`;
  if ('channel' in target) return `channel ${target.channel.join('.')}`;
  return target.dev === undefined ? `sub ${target.sub}` : `dev ${JSON.stringify([target.sub, target.dev])}`;
}

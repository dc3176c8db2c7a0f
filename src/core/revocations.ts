import type { Pattern } from '../protocol/channel.ts';
import { type Grant, Permission, type VerifiedToken } from './grants.ts';

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

const EVERYTHING = Permission.SUBSCRIBE | Permission.PUBLISH | Permission.PRESENCE | Permission.AUDIT;
/** Most revocations remembered for one tenant: a few MB. */
const MAX_REMEMBERED = 10_000;

/** The revocations in force for one tenant, in RAM, one for each target. Times in milliseconds since 1970. */
export class Revocations {
  readonly #tokens = new Map<string, Revocation>();
  readonly #channels = new Map<string, Revocation & { readonly target: { readonly channel: Pattern } }>();

  /** Adds one, or extends the one there is for its target; false when too many are remembered already. */
  add(revocation: Revocation, nowMs: number): boolean {
    const { target } = revocation;
    const key = keyOf(target);
    if (this.#tokens.size + this.#channels.size >= MAX_REMEMBERED) this.#prune(nowMs);
    if (this.#tokens.size + this.#channels.size >= MAX_REMEMBERED) return false;
    const before = this.#tokens.get(key) ?? this.#channels.get(key);
    const extended = {
      beforeMs: Math.max(revocation.beforeMs, before?.beforeMs ?? 0),
      untilMs: Math.max(revocation.untilMs, before?.untilMs ?? 0),
    };
    if ('channel' in target) this.#channels.set(key, { target, ...extended });
    else this.#tokens.set(key, { target, ...extended });
    return true;
  }

  /** Whether the whole token is revoked. */
  isRevoked(token: VerifiedToken): boolean {
    return targetsOf(token).some((target) => {
      const revocation = this.#tokens.get(keyOf(target));
      return revocation !== undefined && token.issuedAtMs < revocation.beforeMs;
    });
  }

  /** A denial for every channel that was revoked for the token. */
  denialsFor(token: VerifiedToken): Grant[] {
    const denials: Grant[] = [];
    for (const revocation of this.#channels.values()) {
      if (token.issuedAtMs >= revocation.beforeMs) continue;
      denials.push({ pattern: revocation.target.channel, permissions: EVERYTHING });
    }
    return denials;
  }

  /** Whether none is left that may still cover a token. */
  isOver(nowMs: number): boolean {
    this.#prune(nowMs);
    return this.#tokens.size + this.#channels.size === 0;
  }

  #prune(nowMs: number): void {
    for (const map of [this.#tokens, this.#channels]) {
      for (const [key, { untilMs }] of map) if (untilMs <= nowMs) map.delete(key);
    }
  }
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

import type { Pattern } from '../protocol/channel.ts';
import { type Grant, Permission, type VerifiedToken } from './grants.ts';

/** Whose tokens a revocation covers: by token id, user, user and device, key, or, for one channel or pattern, everyone's. */
export type Target =
  | { readonly jti: string }
  | { readonly sub: string; readonly dev?: string }
  | { readonly kid: string }
  | { readonly channel: Pattern };

/** One revocation: covers tokens issued before `beforeMs`; forgotten at `untilMs`, when all of them have expired. */
export interface Revocation {
  readonly target: Target;
  readonly beforeMs: number;
  readonly untilMs: number;
}

const EVERYTHING = Permission.SUBSCRIBE | Permission.PUBLISH | Permission.PRESENCE | Permission.AUDIT;

/** The revocations in force for one tenant, in RAM. Times in milliseconds since 1970. */
export class Revocations {
  #list: Revocation[] = [];

  /** Adds one and drops those that are over. */
  add(revocation: Revocation, nowMs: number): void {
    this.#list = this.#list.filter((other) => other.untilMs > nowMs);
    this.#list.push(revocation);
  }

  /** Whether the whole token is revoked. */
  isRevoked(token: VerifiedToken, nowMs: number): boolean {
    return this.#list.some((revocation) => applies(revocation, token, nowMs) && isTarget(revocation.target, token));
  }

  /** A denial for every channel that was revoked for the token. */
  denialsFor(token: VerifiedToken, nowMs: number): Grant[] {
    const denials: Grant[] = [];
    for (const revocation of this.#list) {
      const { target } = revocation;
      if (!('channel' in target) || !applies(revocation, token, nowMs)) continue;
      denials.push({ pattern: target.channel, permissions: EVERYTHING });
    }
    return denials;
  }
}

function applies({ beforeMs, untilMs }: Revocation, token: VerifiedToken, nowMs: number): boolean {
  return token.issuedAtMs < beforeMs && nowMs < untilMs;
}

function isTarget(target: Target, token: VerifiedToken): boolean {
  if ('jti' in target) return token.jti === target.jti;
  if ('kid' in target) return token.kid === target.kid;
  if ('channel' in target) return false;
  return token.sub === target.sub && (target.dev === undefined || token.dev === target.dev);
}

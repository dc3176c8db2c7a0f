import { type Refusal, refusal } from '../protocol/codes.ts';
import type { VerifiedToken } from './grants.ts';
import type { Revocation, Target } from './revocations.ts';

/**
 * The rules of time, the same for tokens and for revocations: how long a token may live, and how far clocks may differ.
 * They stay what they were when the relay started, so that no token outlives the revocation that covers it.
 */
export interface TokenTimes {
  readonly maxTtlMs: number;
  readonly toleranceMs: number;
}

/** The rules of time that a configuration sets. */
export function tokenTimes(limits: {
  readonly maxTokenTtlSeconds: number;
  readonly clockToleranceSeconds: number;
}): TokenTimes {
  return { maxTtlMs: limits.maxTokenTtlSeconds * 1000, toleranceMs: limits.clockToleranceSeconds * 1000 };
}

/** Why a token is not good at this moment by its times, if so. A life that is too long does not pass by waiting, so it is looked at first. */
export function untimely(token: VerifiedToken, nowMs: number, { maxTtlMs, toleranceMs }: TokenTimes): Refusal | null {
  if (token.expiresAtMs <= nowMs) return refusal('token_expired', 'exp has passed');
  if (token.expiresAtMs - token.issuedAtMs > maxTtlMs)
    return refusal('token_ttl_too_long', `exp must be at most ${maxTtlMs / 1000} seconds after iat`);
  if (token.issuedAtMs > nowMs + toleranceMs) return refusal('token_not_yet_valid', 'iat lies in the future');
  if (token.notBeforeMs > nowMs + toleranceMs) return refusal('token_not_yet_valid', 'nbf lies in the future');
  return null;
}

/**
 * The revocation of a target's tokens issued before a moment; by default all that a clock within the tolerance can have dated by now. A token id
 * names one token, so it is covered whatever clock dated it, as far ahead as a revocation may reach. Null when the moment lies further ahead.
 * A token that is covered has expired `maxTtlMs` after that moment, or is never good: until then the revocation is remembered, and for as long from
 * now when the moment has passed, since the clock may be set back.
 */
export function revocationOf(
  target: Target,
  beforeMs: number | undefined,
  { nowMs, times }: { readonly nowMs: number; readonly times: TokenTimes },
): Revocation | null {
  const issuedByNowMs = nowMs + times.toleranceMs + 1;
  const furthestMs = issuedByNowMs + times.maxTtlMs;
  if (beforeMs !== undefined && beforeMs > furthestMs) return null;
  const coveredMs = 'jti' in target ? furthestMs : (beforeMs ?? issuedByNowMs);
  return { target, beforeMs: coveredMs, untilMs: Math.max(coveredMs, nowMs) + times.maxTtlMs };
}

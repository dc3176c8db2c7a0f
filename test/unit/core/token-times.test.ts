import { describe, expect, it } from 'vitest';
import { revocationOf, tokenTimes, untimely } from '../../../src/core/token-times.ts';
import { START_MS, tokenWith } from './world.ts';

const times = tokenTimes({ maxTokenTtlSeconds: 3600, clockToleranceSeconds: 5 });
const at = { nowMs: START_MS, times };
const HOUR_MS = 3_600_000;
const codeOf = (issuedMs: number, expiresMs: number, notBeforeMs = issuedMs) =>
  untimely(
    tokenWith({
      issuedAtMs: START_MS + issuedMs,
      notBeforeMs: START_MS + notBeforeMs,
      expiresAtMs: START_MS + expiresMs,
    }),
    START_MS,
    times,
  )?.code;

describe('the times of a token', () => {
  it.each<[string, number, number, number | undefined, string | undefined]>([
    ['issued now', 0, HOUR_MS, undefined, undefined],
    ['about to expire', -1000, 1, undefined, undefined],
    ['expired this moment', -1000, 0, undefined, 'token_expired'],
    ['as far ahead as clocks may differ', 5000, HOUR_MS, undefined, undefined],
    ['further ahead', 5001, HOUR_MS, undefined, 'token_not_yet_valid'],
    ['to be used as far ahead as clocks may differ', 0, HOUR_MS, 5000, undefined],
    ['to be used further ahead', 0, HOUR_MS, 5001, 'token_not_yet_valid'],
    ['to be used before it was issued', 5001, HOUR_MS, 0, 'token_not_yet_valid'],
    ['good for too long', 0, HOUR_MS + 1, undefined, 'token_ttl_too_long'],
    [
      'good for too long, and for later: waiting does not mend it',
      9000,
      HOUR_MS + 9001,
      undefined,
      'token_ttl_too_long',
    ],
  ])('of one %s decide', (_, issuedMs, expiresMs, notBeforeMs, code) => {
    expect(codeOf(issuedMs, expiresMs, notBeforeMs)).toBe(code);
  });
});

describe('a revocation', () => {
  it('covers what a clock within the tolerance can have dated by now, until all of it has expired', () => {
    const beforeMs = START_MS + 5001;
    expect(revocationOf({ sub: 'a' }, undefined, at)).toMatchObject({ beforeMs, untilMs: beforeMs + HOUR_MS });
  });

  it('covers what its moment says, until all of it has expired, and for as long as a token lives at least', () => {
    for (const [beforeMs, fromMs] of [
      [0, START_MS],
      [START_MS - 1, START_MS],
      [START_MS + HOUR_MS, START_MS + HOUR_MS],
    ] as const)
      expect(revocationOf({ kid: 'a' }, beforeMs, at)).toMatchObject({ beforeMs, untilMs: fromMs + HOUR_MS });
  });

  it('reaches as far ahead as a token lives, and no further', () => {
    const furthestMs = START_MS + HOUR_MS + 5001;
    expect(revocationOf({ sub: 'a' }, furthestMs, at)).toMatchObject({ beforeMs: furthestMs });
    expect(revocationOf({ sub: 'a' }, furthestMs + 1, at)).toBeNull();
  });

  it('of a token id covers it whatever clock dated it, as far ahead as a revocation may reach', () => {
    const furthestMs = START_MS + HOUR_MS + 5001;
    for (const beforeMs of [undefined, 0, START_MS])
      expect(revocationOf({ jti: 'a' }, beforeMs, at)).toMatchObject({ beforeMs: furthestMs });
  });
});

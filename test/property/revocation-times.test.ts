import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerifiedToken } from '../../src/core/grants.ts';
import { Revocations, type Target } from '../../src/core/revocations.ts';
import { revocationOf, tokenTimes, untimely } from '../../src/core/token-times.ts';
import { tokenWith } from '../unit/core/world.ts';

const START = 1_790_000_000;
/** Half a second, so that fractions occur. */
const STEP = 0.5;

const limits = fc.record({
  maxTokenTtlSeconds: fc.integer({ min: 1, max: 6 }),
  clockToleranceSeconds: fc.integer({ min: 0, max: 2 }),
});
const seconds = (min: number, max: number) =>
  fc.integer({ min: min / STEP, max: max / STEP }).map((n) => START + n * STEP);
const claims = fc.record({
  sub: fc.constantFrom('alice', 'bob'),
  jti: fc.constantFrom('1', '2'),
  iat: seconds(-8, 12),
  nbf: fc.option(seconds(-8, 12), { nil: undefined }),
  exp: seconds(-8, 18),
});
type Claims = { sub: string; jti: string; iat: number; nbf: number | undefined; exp: number };
const target: fc.Arbitrary<Target> = fc.constantFrom(
  { sub: 'alice' },
  { jti: '1' },
  { kid: 'app' },
  { channel: ['>'] },
);
const revoke = fc.record({ target, before: fc.option(seconds(-4, 10).map(Math.floor), { nil: undefined }) });
/** Seconds by which the clock moves, then perhaps a revocation. */
const steps = (min: number) =>
  fc.array(
    fc.tuple(
      fc.integer({ min: min / STEP, max: 3 / STEP }).map((n) => n * STEP),
      fc.option(revoke),
    ),
    {
      minLength: 1,
      maxLength: 20,
    },
  );

function verified({ sub, jti, iat, nbf = iat, exp }: Claims): VerifiedToken {
  return tokenWith({ sub, jti, issuedAtMs: iat * 1000, notBeforeMs: nbf * 1000, expiresAtMs: exp * 1000 });
}

/** docs/PROTOCOL.md, section 15, in its own words: which tokens a revocation covers, in seconds. */
function isCovered(
  token: Claims,
  made: { target: Target; before: number | undefined; at: number },
  by: Limits,
): boolean {
  const named =
    ('sub' in made.target && made.target.sub === token.sub) ||
    ('jti' in made.target && made.target.jti === token.jti) ||
    'kid' in made.target ||
    'channel' in made.target;
  if (!named) return false;
  if ('jti' in made.target) return token.iat <= made.at + by.maxTokenTtlSeconds + by.clockToleranceSeconds;
  return made.before === undefined ? token.iat <= made.at + by.clockToleranceSeconds : token.iat < made.before;
}

type Limits = { maxTokenTtlSeconds: number; clockToleranceSeconds: number };
type Step = [number, { target: Target; before: number | undefined } | null];

/** Whether a relay that lived through the steps, as time or as a clock that is set, takes the token after each, and whether it should. */
function live(token: Claims, by: Limits, walk: readonly Step[], isSet: boolean): void {
  const times = tokenTimes(by);
  const revocations = new Revocations();
  const made: { target: Target; before: number | undefined; at: number }[] = [];
  let now = START;
  for (const [step, request] of walk) {
    now += step;
    const moment = { nowMs: now * 1000, monotonicMs: isSet ? 0 : (now - START) * 1000 };
    const revocation =
      request === null ? null : revocationOf(request.target, ms(request.before), { nowMs: now * 1000, times });
    if (request !== null && revocation !== null) {
      revocations.add(revocation, moment);
      made.push({ ...request, at: now });
    }
    revocations.isOver(moment); // forgets what is over
    const isTimely = untimely(verified(token), now * 1000, times) === null;
    const isWithdrawn = revocations.withdrawnFrom(verified(token)).touches(['>']);
    const isRevoked = revocations.isRevoked(verified(token)) || isWithdrawn;
    const shouldBeRefused = made.some((each) => isCovered(token, each, by));
    if (isTimely) expect({ now, isRevoked }).toEqual({ now, isRevoked: shouldBeRefused });
  }
}

const ms = (value: number | undefined) => (value === undefined ? undefined : value * 1000);

describe('a revocation', () => {
  it('refuses each token it covers at every moment at which its times would do, and no other', () => {
    fc.assert(
      fc.property(claims, limits, steps(0), (token, by, walk) => live(token, by, walk, false)),
      { numRuns: 20_000 },
    );
  });

  it('does so also when the clock is set forward and back', () => {
    fc.assert(
      fc.property(claims, limits, steps(-3), (token, by, walk) => live(token, by, walk, true)),
      { numRuns: 20_000 },
    );
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maySubscribePattern, permissionsFor } from '../../src/core/authorize.ts';
import { type Grant, lettersOf, type Rules } from '../../src/core/grants.ts';
import { Revocations } from '../../src/core/revocations.ts';
import { covers } from '../../src/protocol/channel.ts';
import { START_MS, tokenWith } from '../unit/core/world.ts';
import { isMatch, NAMES, namesOf, patterns } from './names.ts';

const grant = fc.record<Grant>({ pattern: patterns, permissions: fc.integer({ min: 1, max: 15 }) });
/** Short lists are read through, long ones searched as trees. */
const list = fc.oneof(fc.array(grant, { maxLength: 4 }), fc.array(grant, { minLength: 17, maxLength: 60 }));
const rules = fc.record<Rules>({ can: list, ceiling: list, not: list, ops: fc.constant([]) });
const MOMENT = { nowMs: START_MS, monotonicMs: 0 };
const RUNS = { numRuns: 500 };

/** Whether some entry gives a letter on a name; the bits are those of the letters r, w, p and a in this order. */
function gives(grants: readonly Grant[], letter: string, name: readonly string[]): boolean {
  const bit = 2 ** 'rwpa'.indexOf(letter);
  return grants.some(({ pattern, permissions }) => Math.floor(permissions / bit) % 2 === 1 && isMatch(pattern, name));
}

/** A permission exists when a grant and the ceiling give it and no denial takes it away: docs/PROTOCOL.md, section 4. */
function lettersByWords({ can, ceiling, not }: Rules, name: readonly string[]): string {
  return [...'rwpa']
    .filter((letter) => gives(can, letter, name) && gives(ceiling, letter, name) && !gives(not, letter, name))
    .join('');
}

describe('the effective permission', () => {
  it('is what the grants and the ceiling give, without what is denied', () => {
    fc.assert(
      fc.property(rules, (each) => {
        for (const name of NAMES) expect(lettersOf(permissionsFor(each, name))).toBe(lettersByWords(each, name));
      }),
      RUNS,
    );
  });

  it('is nothing on a channel that was revoked, and no pattern that touches one may be subscribed to', () => {
    const token = tokenWith();
    fc.assert(
      fc.property(rules, fc.array(patterns, { maxLength: 40 }), patterns, (each, revoked, asked) => {
        const revocations = new Revocations();
        for (const channel of revoked)
          revocations.add({ target: { channel }, beforeMs: START_MS + 1, untilMs: START_MS + 1000 }, MOMENT);
        const after = { ...each, withdrawn: revocations.withdrawnFrom(token) };
        for (const name of NAMES) {
          const isRevoked = revoked.some((pattern) => isMatch(pattern, name));
          expect(lettersOf(permissionsFor(after, name))).toBe(isRevoked ? '' : lettersByWords(each, name));
        }
        const isTouched = namesOf(asked).some((name) => revoked.some((pattern) => isMatch(pattern, name)));
        expect(maySubscribePattern(after, asked)).toBe(maySubscribePattern(each, asked) && !isTouched);
      }),
      RUNS,
    );
  });

  it('never grows by a denial, nor shrinks by a grant', () => {
    fc.assert(
      fc.property(rules, grant, fc.constantFrom(...NAMES), (each, added, name) => {
        const before = permissionsFor(each, name);
        expect(permissionsFor({ ...each, not: [...each.not, added] }, name) & ~before).toBe(0);
        expect(before & ~permissionsFor({ ...each, can: [...each.can, added] }, name)).toBe(0);
      }),
      RUNS,
    );
  });
});

describe('a pattern that may be subscribed to', () => {
  const generous = fc.record<Rules>({
    can: fc.array(fc.record({ pattern: patterns, permissions: fc.constant(1) }), { minLength: 1, maxLength: 3 }),
    ceiling: fc.array(fc.record({ pattern: patterns, permissions: fc.constantFrom(1, 15) }), {
      minLength: 1,
      maxLength: 3,
    }),
    not: fc.array(grant, { maxLength: 1 }),
    ops: fc.constant([]),
  });

  it('matches no name that may not be subscribed to', () => {
    let allowed = 0;
    fc.assert(
      fc.property(fc.oneof(generous, rules), patterns, (each, pattern) => {
        if (!maySubscribePattern(each, pattern)) return;
        allowed++;
        for (const name of namesOf(pattern)) expect(lettersByWords(each, name)).toContain('r');
      }),
      { numRuns: 3000 },
    );
    expect(allowed).toBeGreaterThan(50);
  });

  it('is one that a single grant and a single entry of the ceiling cover, and that no denial of r overlaps', () => {
    const holds = (grants: readonly Grant[], is: (grant: Grant) => boolean): boolean =>
      grants.some((each) => each.permissions % 2 === 1 && is(each));
    fc.assert(
      fc.property(generous, patterns, (each, pattern) => {
        const isCovered = (grants: readonly Grant[]): boolean =>
          holds(grants, (entry) => covers(entry.pattern, pattern));
        const isDenied = holds(each.not, (entry) => namesOf(pattern).some((name) => isMatch(entry.pattern, name)));
        expect(maySubscribePattern(each, pattern)).toBe(isCovered(each.can) && isCovered(each.ceiling) && !isDenied);
      }),
      { numRuns: 2000 },
    );
  });
});

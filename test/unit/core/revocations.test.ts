import { describe, expect, it } from 'vitest';
import { Revocations, type Target } from '../../../src/core/revocations.ts';
import { START_MS, tokenWith } from './world.ts';

function revoked(target: Target, beforeMs = START_MS + 1): Revocations {
  const revocations = new Revocations();
  revocations.add({ target, beforeMs, untilMs: START_MS + 1000 }, START_MS);
  return revocations;
}

describe('a revocation', () => {
  const token = tokenWith({ jti: 'j', sub: 'alice', dev: 'phone', kid: 'app' });
  it.each<[Target, boolean]>([
    [{ jti: 'j' }, true],
    [{ jti: 'other' }, false],
    [{ sub: 'alice' }, true],
    [{ sub: 'bob' }, false],
    [{ sub: 'alice', dev: 'phone' }, true],
    [{ sub: 'alice', dev: 'laptop' }, false],
    [{ sub: 'bob', dev: 'phone' }, false],
    [{ kid: 'app' }, true],
    [{ kid: 'ops' }, false],
    [{ channel: ['>'] }, false],
  ])('of %j covers the whole token: %j', (target, expected) => {
    expect(revoked(target).isRevoked(token)).toBe(expected);
  });

  it('does not take a token without the claim for one that has it', () => {
    const plain = tokenWith({ jti: undefined, dev: undefined });
    expect(revoked({ jti: 'j' }).isRevoked(plain)).toBe(false);
    expect(revoked({ sub: 'alice', dev: 'phone' }).isRevoked(plain)).toBe(false);
    expect(revoked({ sub: 'alice' }).isRevoked(plain)).toBe(true);
  });

  it('covers tokens issued before it', () => {
    const revocations = revoked({ sub: 'alice' }, START_MS);
    expect(revocations.isRevoked(tokenWith({ issuedAtMs: START_MS - 1 }))).toBe(true);
    expect(revocations.isRevoked(tokenWith({ issuedAtMs: START_MS }))).toBe(false);
  });

  it('of a channel takes everything there away from tokens issued before it, and touches the patterns that overlap it', () => {
    const revocations = revoked({ channel: ['room', '*'] });
    const [early, late] = [START_MS, START_MS + 1].map((issuedAtMs) =>
      revocations.withdrawnFrom(tokenWith({ issuedAtMs })),
    );
    expect([early?.covers(['room', 'a']), early?.covers(['room']), late?.covers(['room', 'a'])]).toEqual([
      true,
      false,
      false,
    ]);
    expect([early?.touches(['>']), early?.touches(['a', '>']), late?.touches(['>'])]).toEqual([true, false, false]);
    expect(revoked({ sub: 'alice' }).withdrawnFrom(token).touches(['>'])).toBe(false);
  });

  it('that comes later is in what was asked for earlier', () => {
    const revocations = revoked({ sub: 'bob' });
    const withdrawn = revocations.withdrawnFrom(token);
    expect(withdrawn.covers(['room'])).toBe(false);
    revocations.add({ target: { channel: ['room'] }, beforeMs: START_MS, untilMs: START_MS + 1000 }, START_MS);
    expect(withdrawn.covers(['room'])).toBe(false);
    revocations.add({ target: { channel: ['room'] }, beforeMs: START_MS + 1, untilMs: START_MS + 1000 }, START_MS);
    expect(withdrawn.covers(['room'])).toBe(true);
  });

  it('is refused when too many are remembered, but extended if it is known; those that are over make room within a second', () => {
    const revocations = new Revocations();
    const add = (name: string, untilMs: number, nowMs: number) =>
      revocations.add({ target: { channel: [name] }, beforeMs: START_MS + 1, untilMs }, nowMs);
    for (let i = 0; i < 10_000; i++) expect(add(`c${i}`, START_MS + 1000 + i, START_MS)).toBe(true);
    expect(add('more', START_MS + 5000, START_MS)).toBe(false);
    expect(add('c0', START_MS + 1000, START_MS)).toBe(true);
    expect(add('more', START_MS + 5000, START_MS + 1000)).toBe(true);
    expect(revocations.withdrawnFrom(token).covers(['c0'])).toBe(false);
    expect(revocations.withdrawnFrom(token).covers(['c1'])).toBe(true);
  });

  it('of a token id covers it like any other, by the time of its issue', () => {
    const revocations = revoked({ jti: 'j' }, START_MS);
    expect(revocations.isRevoked(tokenWith({ jti: 'j', issuedAtMs: START_MS - 1 }))).toBe(true);
    expect(revocations.isRevoked(tokenWith({ jti: 'j', issuedAtMs: START_MS }))).toBe(false);
  });

  it('is kept until all that it covers have expired, and then makes room', () => {
    const revocations = revoked({ sub: 'alice' });
    revocations.add({ target: { channel: ['a'] }, beforeMs: START_MS + 1, untilMs: START_MS + 2000 }, START_MS);
    expect(revocations.isOver(START_MS + 999)).toBe(false);
    expect(revocations.isRevoked(token)).toBe(true);
    expect(revocations.isOver(START_MS + 1000)).toBe(false);
    expect(revocations.isRevoked(token)).toBe(false);
    expect(revocations.withdrawnFrom(token).covers(['a'])).toBe(true);
    expect(revocations.isOver(START_MS + 2000)).toBe(true);
    expect(revocations.withdrawnFrom(token).covers(['a'])).toBe(false);
  });
});

import { describe, expect, it } from 'vitest';
import { Revocations, type Target } from '../../../src/core/revocations.ts';
import { START_MS, tokenWith } from './world.ts';

/** A moment so many milliseconds after the start, by both clocks. */
const at = (ms: number) => ({ nowMs: START_MS + ms, monotonicMs: 5000 + ms });

function revoked(target: Target, beforeMs = START_MS + 1): Revocations {
  const revocations = new Revocations();
  revocations.add({ target, beforeMs, untilMs: START_MS + 1000 }, at(0));
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
    revocations.add({ target: { channel: ['room'] }, beforeMs: START_MS, untilMs: START_MS + 1000 }, at(0));
    expect(withdrawn.covers(['room'])).toBe(false);
    revocations.add({ target: { channel: ['room'] }, beforeMs: START_MS + 1, untilMs: START_MS + 1000 }, at(0));
    expect(withdrawn.covers(['room'])).toBe(true);
  });

  it('is refused when too many are remembered, but extended if it is known; those that are over make room within a second', () => {
    const revocations = new Revocations();
    const add = (name: string, untilMs: number, ms: number) =>
      revocations.add({ target: { channel: [name] }, beforeMs: START_MS + 1, untilMs }, at(ms));
    for (let i = 0; i < 10_000; i++) expect(add(`c${i}`, START_MS + 1000 + i, 0)).toBe(true);
    expect(add('more', START_MS + 5000, 0)).toBe(false);
    expect(add('c0', START_MS + 1000, 0)).toBe(true);
    expect(add('more', START_MS + 5000, 1000)).toBe(true);
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
    revocations.add({ target: { channel: ['a'] }, beforeMs: START_MS + 1, untilMs: START_MS + 2000 }, at(0));
    expect(revocations.isOver(at(999))).toBe(false);
    expect(revocations.isRevoked(token)).toBe(true);
    expect(revocations.isOver(at(1000))).toBe(false);
    expect(revocations.isRevoked(token)).toBe(false);
    expect(revocations.withdrawnFrom(token).covers(['a'])).toBe(true);
    expect(revocations.isOver(at(2000))).toBe(true);
    expect(revocations.withdrawnFrom(token).covers(['a'])).toBe(false);
  });

  it('is not forgotten while a clock is wrong: set forward, it ends none; set back, it keeps none from making room', () => {
    const forward = revoked({ sub: 'alice' });
    expect(forward.isOver({ nowMs: START_MS + 1e9, monotonicMs: 5999 })).toBe(false);
    expect(forward.isRevoked(token)).toBe(true);
    const back = revoked({ sub: 'alice' });
    const setBack = (ms: number) => ({ nowMs: START_MS - 1e9 + ms, monotonicMs: 7000 + ms });
    const add = (sub: string, ms: number) =>
      back.add({ target: { sub }, beforeMs: 0, untilMs: START_MS - 1e9 + 1000 }, setBack(ms));
    expect(back.isOver(at(0))).toBe(false);
    for (let i = 1; i < 10_000; i++) expect(add(`${i}`, 0)).toBe(true);
    expect(add('one more', 0)).toBe(false);
    expect(add('one more', 1000)).toBe(true);
  });
});

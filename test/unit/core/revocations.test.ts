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

  it('covers tokens issued before it, and a token without iat always', () => {
    const revocations = revoked({ sub: 'alice' }, START_MS);
    expect(revocations.isRevoked(tokenWith({ issuedAtMs: START_MS - 1 }))).toBe(true);
    expect(revocations.isRevoked(tokenWith({ issuedAtMs: START_MS }))).toBe(false);
    expect(revocations.isRevoked(tokenWith({ issuedAtMs: 0 }))).toBe(true);
  });

  it('of a channel denies everything there to tokens issued before it', () => {
    const revocations = revoked({ channel: ['room', '*'] });
    expect(revocations.denialsFor(tokenWith({ issuedAtMs: START_MS }))).toEqual([
      { pattern: ['room', '*'], permissions: 15 },
    ]);
    expect(revocations.denialsFor(tokenWith({ issuedAtMs: START_MS + 1 }))).toEqual([]);
    expect(revoked({ sub: 'alice' }).denialsFor(token)).toEqual([]);
  });

  it('is dropped once it is over, when another comes', () => {
    const revocations = revoked({ sub: 'alice' });
    revocations.add({ target: { jti: 'x' }, beforeMs: 0, untilMs: START_MS + 9000 }, START_MS + 999);
    expect(revocations.isRevoked(token)).toBe(true);
    revocations.add({ target: { jti: 'y' }, beforeMs: 0, untilMs: START_MS + 9000 }, START_MS + 1000);
    expect(revocations.isRevoked(token)).toBe(false);
  });
});

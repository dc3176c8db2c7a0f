import { describe, expect, it } from 'vitest';
import { VerifiedTokens } from '../../../src/auth/verified-tokens.ts';
import type { VerifiedToken } from '../../../src/core/grants.ts';
import { START_MS, tokenWith } from '../core/world.ts';

const MAX_BYTES = 200_000;
const tokens = () => new VerifiedTokens(['acme', 'globex'], MAX_BYTES);
const manyGrants = (count: number): Partial<VerifiedToken> => ({
  can: Array.from({ length: count }, (_, i) => ({ pattern: ['room', `number-${i}`], permissions: 1 })),
});

describe('the memory of good tokens', () => {
  it('gives a token back in the spelling in which it came, and in no other', () => {
    const remembered = tokens();
    const token = tokenWith();
    remembered.remember('header.payload.signature', token);
    expect(remembered.find('header.payload.signature')).toBe(token);
    for (const other of ['header.payload.other', 'header.other.signature', 'header.payload', ''])
      expect(remembered.find(other)).toBeUndefined();
  });

  it('holds a token once, however many signatures of the same it has', () => {
    const remembered = tokens();
    remembered.remember('header.payload.0', tokenWith());
    const { bytes } = remembered.size;
    for (let i = 1; i < 10_000; i++) remembered.remember(`header.payload.${i}`, tokenWith());
    expect(remembered.size).toEqual({ tokens: 1, bytes });
    expect(remembered.find('header.payload.9999')).toBeDefined();
    expect(remembered.find('header.payload.0')).toBeUndefined();
  });

  it('holds no more of a tenant than its share, however many good tokens it has', () => {
    const remembered = tokens();
    for (let i = 0; i < 10_000; i++) remembered.remember(`h.${i}.s`, tokenWith());
    const { bytes, tokens: count } = remembered.size;
    expect(bytes).toBeLessThanOrEqual(MAX_BYTES / 2);
    expect(count).toBeLessThan(100);
    expect(count).toBeGreaterThan(50);
  });

  it('counts a token by what it grants', () => {
    const remembered = tokens();
    for (let i = 0; i < 1000; i++) remembered.remember(`h.${i}.s`, tokenWith(manyGrants(100)));
    expect(remembered.size.bytes).toBeLessThanOrEqual(MAX_BYTES / 2);
    expect(remembered.size.tokens).toBeLessThan(5);
  });

  it('does not take a token that is larger than the share', () => {
    const remembered = tokens();
    remembered.remember('h.small.s', tokenWith());
    remembered.remember('h.large.s', tokenWith(manyGrants(1000)));
    expect(remembered.find('h.large.s')).toBeUndefined();
    expect(remembered.find('h.small.s')).toBeDefined();
  });

  it('keeps the tokens of a tenant, whatever another one does', () => {
    const remembered = tokens();
    remembered.remember('h.globex.s', tokenWith({ tenant: 'globex' }));
    for (let i = 0; i < 10_000; i++) remembered.remember(`h.${i}.s`, tokenWith());
    expect(remembered.find('h.globex.s')).toBeDefined();
  });

  it('lets the tokens go first that were not used for the longest time', () => {
    const remembered = tokens();
    remembered.remember('h.used.s', tokenWith());
    remembered.remember('h.unused.s', tokenWith());
    for (let i = 0; i < 200; i++) {
      remembered.remember(`h.${i}.s`, tokenWith());
      expect(remembered.find('h.used.s')).toBeDefined();
    }
    expect(remembered.find('h.unused.s')).toBeUndefined();
  });

  it('is empty once all have expired, without being asked for them', () => {
    const remembered = tokens();
    for (let i = 1; i <= 10; i++) remembered.remember(`h.${i}.s`, tokenWith({ expiresAtMs: START_MS + i }));
    for (let i = 0; i <= 10; i++) {
      remembered.forgetExpired(START_MS + i);
      expect(remembered.size.tokens).toBe(10 - i);
    }
    expect(remembered.size.bytes).toBe(0);
    remembered.remember('h.later.s', tokenWith({ expiresAtMs: START_MS + 20 }));
    remembered.forgetExpired(START_MS + 20);
    expect(remembered.size).toEqual({ tokens: 0, bytes: 0 });
  });
});

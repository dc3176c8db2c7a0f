import { describe, expect, it } from 'vitest';
import { readClaims } from '../../../src/auth/claims.ts';

const GOOD = { iss: 'acme', sub: 'alice', iat: 1_789_999_000, exp: 1_790_000_000 };
const read = (claims: Readonly<Record<string, unknown>>) => readClaims({ ...GOOD, ...claims });

describe('the claims of a token', () => {
  it('are read with every claim the document names', () => {
    const claims = {
      dev: 'phone',
      jti: 'j1',
      iat: 1_789_000_000,
      nbf: 1,
      can: { 'room.>': 'rw', 'inbox.{sub}.{dev}': 'r' },
      not: { 'room.secret': 'w' },
      ops: ['revoke'],
    };
    expect(read(claims)).toEqual({
      sub: 'alice',
      dev: 'phone',
      jti: 'j1',
      iat: 1_789_000_000,
      nbf: 1,
      exp: 1_790_000_000,
      can: [
        { pattern: ['room', '>'], permissions: 3 },
        { pattern: ['inbox', 'alice', 'phone'], permissions: 1 },
      ],
      not: [{ pattern: ['room', 'secret'], permissions: 2 }],
      ops: ['revoke'],
    });
  });

  it('grant nothing when they name no grants', () => {
    expect(read({})).toMatchObject({ can: [], not: [], ops: [], dev: undefined, jti: undefined, nbf: undefined });
  });

  it.each<[string, Record<string, unknown>]>([
    ['no sub', { sub: undefined }],
    ['an empty sub', { sub: '' }],
    ['a sub that is a number', { sub: 5 }],
    ['no exp', { exp: undefined }],
    ['no iat', { iat: undefined }],
    ['an iat that is nil', { iat: null }],
    ['an iat before 1970', { iat: -1 }],
    ['an exp without end', { exp: Number.POSITIVE_INFINITY }],
    ['an exp that is no number', { exp: Number.NaN }],
    ['an exp that is a truth', { exp: true }],
    ['an nbf that is a list', { nbf: [1] }],
    ['an empty dev', { dev: '' }],
    ['a dev that is nil', { dev: null }],
    ['a jti that is a number', { jti: 5 }],
    ['a claim that is not known', { admin: true }],
    ['a misspelt denial', { nott: { a: 'r' } }],
    ['an aud', { aud: 'mayfly' }],
    ['a can that is a list', { can: ['room'] }],
    ['a can that is a string', { can: 'rw' }],
    ['a can that is nil', { can: null }],
    ['a bad pattern', { can: { 'a..b': 'r' } }],
    ['a pattern with a star inside a segment', { can: { 'a*': 'r' } }],
    ['a reserved pattern', { can: { $audit: 'a' } }],
    ['an unknown letter', { can: { a: 'rx' } }],
    ['a repeated letter', { can: { a: 'rr' } }],
    ['no letters', { can: { a: '' } }],
    ['letters that are a list', { can: { a: ['r'] } }],
    ['a bad denial', { not: { '': 'r' } }],
    ['a placeholder without its claim', { can: { 'inbox.{dev}': 'r' } }],
    ['an operation that is not known', { ops: ['revoke', 'mint'] }],
    ['ops that are a string', { ops: 'revoke' }],
    ['1001 grants', { can: Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`c${i}`, 'r'])) }],
  ])('are refused with %s', (_, claims) => {
    expect(read(claims)).toMatchObject({ status: 403, code: 'token_claims_invalid' });
  });

  it.each(['a.b', 'a*', '*', '>', 'a>', 'a b', 'caf\u00e9', 'a\n'])(
    'are refused with the sub %j where a grant or denial is filled in with it, and are good elsewhere',
    (sub) => {
      for (const claim of ['can', 'not'])
        expect(read({ sub, [claim]: { 'inbox.{sub}': 'r' } })).toMatchObject({ code: 'token_claims_invalid' });
      expect(read({ sub, can: { inbox: 'r' } })).toMatchObject({ sub });
    },
  );

  it('fill in a placeholder once: what a claim holds is not filled in again', () => {
    expect(read({ sub: '{dev}', dev: 'phone', can: { 'a.{sub}': 'r' } })).toMatchObject({
      can: [{ pattern: ['a', '{dev}'], permissions: 1 }],
    });
  });

  it('are refused when a filled-in pattern would be a reserved one', () => {
    expect(read({ sub: '$audit', can: { '{sub}': 'r' } })).toMatchObject({ code: 'token_claims_invalid' });
  });

  it('are named in a refusal, their values never', () => {
    for (const claims of [
      { sub: 'secret value', can: { '{sub}': 'r' } },
      { can: { 'secret..value': 'r' } },
      { secret: 1 },
    ]) {
      const refused = JSON.stringify(read(claims));
      expect(refused).toMatch(/sub|can|claim/);
      expect(refused).not.toContain('secret');
    }
  });
});

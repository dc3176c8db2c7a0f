import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { loadKeyRing, sharedKeys } from '../../../src/auth/tenants.ts';
import { ConfigError } from '../../../src/errors.ts';

const jwk = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as JWK;
const problemsOf = (tenants: Parameters<typeof loadKeyRing>[0]) =>
  loadKeyRing(tenants).then(
    () => [],
    (error) => (error instanceof ConfigError ? error.problems : Promise.reject(error)),
  );

describe('the keys of the tenants', () => {
  it('are held by tenant and kid, with ceiling and operations', async () => {
    const ring = await loadKeyRing({
      acme: { keys: [{ kid: 'app', jwk, grants: { 'room.>': 'rw' } }] },
      globex: { keys: [{ kid: 'app', jwk, grants: {}, ops: ['revoke'] }] },
    });
    expect(ring.get('acme')?.get('app')).toMatchObject({
      kid: 'app',
      algorithm: 'EdDSA',
      ceiling: [{ pattern: ['room', '>'], permissions: 3 }],
      ops: [],
    });
    expect(ring.get('globex')?.get('app')).toMatchObject({ ceiling: [], ops: ['revoke'] });
  });

  it('are warned of when one is there twice, with the tenants that it stands for', async () => {
    const other = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }) as JWK;
    const key = (kid: string, of: JWK) => ({ kid, jwk: of, grants: {} });
    const warned = async (tenants: Parameters<typeof loadKeyRing>[0]) => sharedKeys(await loadKeyRing(tenants));
    expect(await warned({ acme: { keys: [key('a', jwk), key('b', other)] } })).toEqual([]);
    expect(await warned({ acme: { keys: [key('a', jwk), key('b', jwk)] } })).toEqual([
      { path: 'tenants.acme.keys', message: expect.stringMatching(/^b .* of this tenant/) },
    ]);
    expect(await warned({ acme: { keys: [key('a', jwk)] }, globex: { keys: [key('b', jwk)] } })).toEqual([
      { path: 'tenants.globex.keys', message: expect.stringMatching(/^b .* of the tenant acme/) },
    ]);
  });

  it('are refused together, every problem with its path', async () => {
    const problems = await problemsOf({
      acme: {
        keys: [
          { kid: 'app', jwk, grants: { 'a..b': 'rw', room: 'rr' } },
          { kid: 'app', jwk: { kty: 'oct', k: 'c2hvcnQ' }, grants: {} },
        ],
      },
      globex: { keys: [{ kid: 'bad', jwk: { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' }, grants: { '': 'r' } }] },
    });
    expect(problems.map(({ path }) => path)).toEqual([
      'tenants.acme.keys.0.grants',
      'tenants.acme.keys.0.grants',
      'tenants.acme.keys.1.kid',
      'tenants.acme.keys.1.jwk',
      'tenants.globex.keys.0.grants',
      'tenants.globex.keys.0.jwk',
    ]);
    expect(JSON.stringify(problems)).not.toContain('c2hvcnQ');
  });
});

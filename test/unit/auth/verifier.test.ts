import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { loadKeyRing } from '../../../src/auth/tenants.ts';
import { TokenVerifier } from '../../../src/auth/verifier.ts';
import { compact, NOW, TIMES } from './signing.ts';

const pair = generateKeyPairSync('ed25519');
const ringWith = (key = pair.publicKey) =>
  loadKeyRing({ acme: { keys: [{ kid: 'app', jwk: key.export({ format: 'jwk' }) as JWK, grants: { '>': 'r' } }] } });
const tokenUntil = (exp: number): string =>
  compact({ alg: 'EdDSA', kid: 'app' }, { iss: 'acme', sub: 'alice', iat: NOW, exp }, pair.privateKey);

describe('a token that was verified before', () => {
  it('is good until it expires and no longer', async () => {
    const verifier = new TokenVerifier(await ringWith(), TIMES);
    const token = tokenUntil(NOW + 60);
    for (const seconds of [0, 1, 59.999])
      expect(await verifier.verify(token, (NOW + seconds) * 1000)).toMatchObject({ sub: 'alice' });
    expect(await verifier.verify(token, (NOW + 60) * 1000)).toMatchObject({ code: 'token_expired' });
  });

  it('is refused while its time has not come, also when the clock was set back', async () => {
    const verifier = new TokenVerifier(await ringWith(), TIMES);
    const token = tokenUntil(NOW + 60);
    expect(await verifier.verify(token, NOW * 1000)).toMatchObject({ sub: 'alice' });
    expect(await verifier.verify(token, (NOW - 60) * 1000)).toMatchObject({ code: 'token_not_yet_valid' });
    expect(await verifier.verify(token, NOW * 1000)).toMatchObject({ sub: 'alice' });
  });

  it('is verified again after it was forgotten', async () => {
    const verifier = new TokenVerifier(await ringWith(), TIMES);
    const token = tokenUntil(NOW + 60);
    await verifier.verify(token, NOW * 1000);
    verifier.forgetExpired((NOW + 60) * 1000);
    expect(await verifier.verify(token, NOW * 1000)).toMatchObject({ sub: 'alice' });
  });

  it('is refused once its key is another', async () => {
    const verifier = new TokenVerifier(await ringWith(), TIMES);
    const token = tokenUntil(NOW + 60);
    expect(await verifier.verify(token, NOW * 1000)).toMatchObject({ sub: 'alice' });
    verifier.setKeys(await ringWith(generateKeyPairSync('ed25519').publicKey));
    expect(await verifier.verify(token, NOW * 1000)).toMatchObject({ code: 'token_invalid' });
  });

  it('is refused when its key was taken away while its signature was being checked', async () => {
    const verifier = new TokenVerifier(await ringWith(), TIMES);
    const token = tokenUntil(NOW + 60);
    const checking = verifier.verify(token, NOW * 1000);
    verifier.setKeys(await loadKeyRing({}));
    await checking;
    expect(await verifier.verify(token, NOW * 1000)).toMatchObject({ code: 'token_invalid' });
  });

  it('is not taken for another one that differs in its signature', async () => {
    const verifier = new TokenVerifier(await ringWith(), TIMES);
    const token = tokenUntil(NOW + 60);
    await verifier.verify(token, NOW * 1000);
    expect(await verifier.verify(`${token.slice(0, -10)}AAAAAAAAAA`, NOW * 1000)).toMatchObject({
      code: 'token_invalid',
    });
    for (const none of [null, ''])
      expect(await verifier.verify(none, NOW * 1000)).toMatchObject({ code: 'token_missing' });
  });
});

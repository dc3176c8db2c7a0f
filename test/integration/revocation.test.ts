import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { message, TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describe('a revocation', () => {
  let relay: TestRelay;
  beforeEach(async () => {
    relay = await startTestRelay();
  });
  afterEach(stopRelays);

  const hourAgo = (): number => Math.floor(Date.now() / 1000) - 60;

  async function revoke(body: object, iss = 'acme'): Promise<{ status: number; body: Record<string, unknown> }> {
    const token = await relay.mint({ iss, sub: 'ops', ops: ['revoke'] }, 'ops');
    const response = await fetch(`${relay.httpUrl}/v1/revocations`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }

  it.each([
    ['jti', { jti: 'one' }],
    ['sub', { sub: 'alice' }],
    ['sub and dev', { sub: 'alice', dev: 'phone' }],
    ['kid', { kid: 'app' }],
  ])('by %s closes live connections before it answers, and refuses the token afterwards', async (_, target) => {
    const claims = { jti: 'one', sub: 'alice', dev: 'phone', iat: hourAgo() };
    const hit = await relay.connect(claims);
    const answer = await revoke(target);
    expect(answer).toMatchObject({ status: 200, body: { closed: 1, detached: 0 } });
    expect(answer.body.until).toBeGreaterThan(Date.now() / 1000);
    expect(await hit.closed).toEqual({ code: 4002, reason: 'token_revoked' });
    const again = await relay.open();
    again.send([1, 1, await relay.mint(claims)]);
    expect((await again.nextOf(21)).slice(1, 4)).toEqual([null, 403, 'token_revoked']);
    expect((await again.closed).code).toBe(4002);
  });

  it.each([
    ['another jti', { jti: 'two' }],
    ['another user', { sub: 'bob' }],
    ['another device', { sub: 'alice', dev: 'tablet' }],
    ['another key', { kid: 'ops' }],
    ['tokens issued before', { sub: 'alice', before: hourAgo() - 3600 }],
  ])('of %s leaves a connection alone', async (_, target) => {
    const client = await relay.connect({ jti: 'one', sub: 'alice', dev: 'phone', iat: hourAgo() });
    expect(await revoke(target)).toMatchObject({ status: 200, body: { closed: 0 } });
    await client.flush();
  });

  it('of a tenant does not touch another tenant', async () => {
    const client = await relay.connect({ iat: hourAgo() });
    expect(await revoke({ sub: 'alice' }, 'globex')).toMatchObject({ status: 200, body: { closed: 0 } });
    await client.flush();
  });

  it('reaches a token that a clock a little ahead has dated', async () => {
    const [byId, byUser] = [
      await relay.connect({ jti: 'ahead', iat: Math.floor(Date.now() / 1000) + 4 }),
      await relay.connect({ sub: 'carol', iat: Math.floor(Date.now() / 1000) + 4 }),
    ];
    expect(await revoke({ jti: 'ahead' })).toMatchObject({ body: { closed: 1 } });
    expect(await revoke({ sub: 'carol' })).toMatchObject({ body: { closed: 1 } });
    expect((await byId.closed).code).toBe(4002);
    expect((await byUser.closed).code).toBe(4002);
  });

  it('lets a token in that was issued after it', async () => {
    await revoke({ sub: 'alice', before: Math.floor(Date.now() / 1000) });
    const client = await relay.connect({ iat: Math.floor(Date.now() / 1000) });
    await client.flush();
  });

  it('of a channel detaches who is in it, by name and by pattern, and goes on with the rest', async () => {
    const [inside, watcher] = [await relay.connect({ iat: hourAgo() }), await relay.connect({ iat: hourAgo() })];
    const secret = await inside.attach('secret.plans', 1 | 2);
    const open = await inside.attach('open', 1 | 2 | 8);
    const pattern = await watcher.attach('>', 1);
    expect(await revoke({ channel: 'secret.>' })).toMatchObject({ status: 200, body: { closed: 0, detached: 2 } });
    expect(await inside.nextOf(18)).toEqual([18, null, secret.channelId, 403, 'forbidden']);
    expect(await watcher.nextOf(18)).toEqual([18, null, pattern.channelId, 403, 'forbidden']);
    inside.send(message(open.channelId, 'still here'), message(secret.channelId, 'no more'));
    expect((await inside.nextOf(4))[2]).toBe(1);
    expect((await inside.nextOf(21)).slice(1, 4)).toEqual([null, 404, 'not_attached']);
    expect((await inside.request(2, 'secret.plans', 1)).slice(2, 4)).toEqual([403, 'forbidden']);
  });

  it('acts on tokens presented at the upgrade and in HTTP requests too', async () => {
    const token = await relay.mint({ sub: 'alice', iat: hourAgo() });
    await revoke({ sub: 'alice' });
    const upgrade = TestClient.open(relay.url, { headers: { Authorization: `Bearer ${token}` } });
    await expect(upgrade).rejects.toThrow('Unexpected server response: 403');
    const response = await fetch(`${relay.httpUrl}/v1/channels/a/messages`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/octet-stream' },
      body: 'x',
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: 'token_revoked' });
  });
});

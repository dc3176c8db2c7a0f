import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { jsonOf, post, refusal } from '../hardening/support.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describe('the admin listener', () => {
  let relay: TestRelay;
  beforeAll(async () => {
    relay = await startTestRelay();
  });
  afterAll(stopRelays);

  it.each(['/livez', '/readyz', '/metrics', '/none'])('answers HEAD as GET, without the body: %s', async (path) => {
    const get = await post(`${relay.adminUrl}${path}`, { method: 'GET' });
    const head = await post(`${relay.adminUrl}${path}`, { method: 'HEAD' });
    expect(head.status).toBe(get.status);
    expect(head.headers['content-type']).toBe(get.headers['content-type']);
    expect(Number(head.headers['content-length'])).toBeGreaterThan(0);
    expect(head.text).toBe('');
  });

  it('says which methods a path takes', async () => {
    const answer = await post(`${relay.adminUrl}/readyz`, { method: 'POST' });
    expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, HEAD']);
    expect(jsonOf(answer)).toEqual(refusal(405, 'method_not_allowed'));
  });
});

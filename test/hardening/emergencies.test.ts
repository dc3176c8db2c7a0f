import { afterEach, describe, expect, it } from 'vitest';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { jsonOf, post, refusal, upgrade } from './support.ts';

describe('a revocation', () => {
  afterEach(stopRelays);

  async function revoke(relay: TestRelay, target: object) {
    return post(`${relay.httpUrl}/v1/revocations`, {
      type: 'application/json',
      token: await relay.mint({ ops: ['revoke'] }, 'ops'),
      body: JSON.stringify(target),
    });
  }

  it('is taken while the relay is about to stop', async () => {
    const relay = await startTestRelay({ limits: { drainDelayMs: 5000 } });
    const abuser = await relay.connect({ sub: 'mallory' });
    const stopping = relay.relay.stop();
    const publish = await post(`${relay.httpUrl}/v1/channels/a/messages`, { token: await relay.mint() });
    expect(jsonOf(publish)).toEqual(refusal(503, 'draining'));
    expect(jsonOf(await revoke(relay, { sub: 'mallory' }))).toMatchObject({ closed: 1 });
    expect((await abuser.closed).code).toBe(4002);
    await stopping;
  });

  it('is taken while the relay has all the connections it may have', async () => {
    const relay = await startTestRelay({ limits: { maxConnections: 1 } });
    const abuser = await relay.connect({ sub: 'mallory' });
    expect(jsonOf(await upgrade(relay.url))).toEqual(refusal(503, 'overloaded'));
    expect(jsonOf(await revoke(relay, { sub: 'mallory' }))).toMatchObject({ closed: 1 });
    expect((await abuser.closed).code).toBe(4002);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelayOptions } from '../support/relay.ts';
import { error, expectAlive, expectEnd, innocent, jsonOf, post, refusal, upgrade } from './support.ts';

describe('a flood', () => {
  afterEach(stopRelays);

  async function start(options: TestRelayOptions, tenant = 'acme') {
    const relay = await startTestRelay(options);
    return { relay, others: await innocent(relay, { iss: tenant }) };
  }

  it('of connections over the tenant’s limit is refused with 4005, and a place that is given back is given out', async () => {
    const { relay, others } = await start({ tenantLimits: { connections: 3 } }, 'globex');
    const held = [await relay.connect(), await relay.connect(), await relay.connect()];
    const idle = await Promise.all([relay.open(), relay.open(), relay.open()]);
    for (let i = 0; i < 3; i++) {
      const abuser = await relay.open();
      abuser.send([1, 1, await relay.mint()]);
      await expectEnd(abuser, 4005, [error(429, 'too_many_connections')]);
    }
    const byHeader = await TestClient.open(relay.url, { headers: { authorization: `Bearer ${await relay.mint()}` } });
    await expectEnd(byHeader, 4005, [error(429, 'too_many_connections')]);
    for (const client of [...held, ...idle.slice(1)]) expect(client.socket.readyState).toBe(1);
    held[0]?.socket.close();
    await held[0]?.closed;
    await expectAlive(await relay.connect());
    await others.feltNothing();
  });

  it('of connections over maxConnections is refused at the upgrade with 503, and at HELLO with 4005', async () => {
    const { relay, others } = await start({ limits: { maxConnections: 5 } });
    const late = await relay.open();
    for (let i = 0; i < 3; i++) await relay.connect();
    late.send([1, 1, await relay.mint()]);
    await expectEnd(late, 4005, [error(503, 'overloaded')]);
    for (const headers of [{}, { authorization: `Bearer ${await relay.mint()}` }]) {
      const answer = await upgrade(relay.url, headers);
      expect(answer.status).toBe(503);
      expect(jsonOf(answer)).toEqual(refusal(503, 'overloaded'));
    }
    const answer = await post(`${relay.httpUrl}/v1/channels/a/messages`, { token: await relay.mint() });
    expect(answer.status).toBe(202);
    await others.feltNothing();
  });

  it('of connections that do not say HELLO takes no place of those who do', async () => {
    const { relay, others } = await start({ limits: { maxConnections: 5 } });
    const silent = await Promise.all(Array.from({ length: 20 }, () => relay.open()));
    for (let i = 0; i < 3; i++) await expectAlive(await relay.connect());
    expect(silent.map(({ socket }) => socket.readyState)).toEqual(silent.map(() => 1));
    await others.feltNothing();
  });

  it('of connections that do not say HELLO gives way to newcomers who do, the oldest first', async () => {
    const { relay, others } = await start({ limits: { maxUnauthenticated: 16 } });
    const silent = await Promise.all(Array.from({ length: 16 }, () => relay.open()));
    const open = (): number => silent.filter(({ socket }) => socket.readyState === 1).length;
    await expect.poll(() => relay.connect().then(expectAlive, () => 'refused')).toBeUndefined();
    await expect.poll(open).toBeLessThan(16);
    expect(open()).toBeGreaterThan(10);
    expect(await relay.metrics()).toMatch(/^mayfly_dropped_sockets_total\{reason="gave_way"\} [1-9]/m);
    await others.feltNothing();
  });

  it('of upgrades with bearer tokens at once does not get past maxConnections', async () => {
    const { relay, others } = await start({ limits: { maxConnections: 5 } });
    const headers = { authorization: `Bearer ${await relay.mint()}` };
    const asked = Array.from(
      { length: 20 },
      () =>
      TestClient.open(relay.url, { headers }).then((client) => client.welcome(), () => undefined), // biome-ignore format: one request
    );
    const welcomed = (await Promise.all(asked)).filter((welcome) => welcome !== undefined);
    expect(welcomed).toHaveLength(3);
    await others.feltNothing();
  });
});

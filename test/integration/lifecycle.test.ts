import { connect as tcpConnect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { startRelay } from '../../src/relay.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { message, TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays } from '../support/relay.ts';

describe('drain', () => {
  afterEach(stopRelays);

  it('says GOAWAY with another time to each, takes nobody new, and closes all within drainTimeoutMs', async () => {
    const relay = await startTestRelay({ limits: { drainTimeoutMs: 1500 } });
    const talking = await relay.connect();
    const clients = [talking, ...(await Promise.all(Array.from({ length: 20 }, () => relay.connect())))];
    const { channelId } = await talking.attach('room', 1 | 2 | 8);
    const startedMs = performance.now();
    const stopped = relay.relay.stop();
    const times = await Promise.all(clients.map(async (client) => (await client.nextOf(26))[1] as number));
    expect(new Set(times).size).toBeGreaterThan(10);
    expect(Math.max(...times)).toBeLessThan(1500);
    expect((await fetch(`${relay.adminUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${relay.adminUrl}/livez`)).status).toBe(200);
    await expect(TestClient.open(relay.url)).rejects.toThrow('ECONNREFUSED');
    if (times[0] !== undefined && times[0] > 500) {
      talking.send(message(channelId, 'while draining'));
      await talking.nextOf(4);
    }
    for (const client of clients) expect(await client.closed).toEqual({ code: 4000, reason: 'going_away' });
    await stopped;
    expect(performance.now() - startedMs).toBeGreaterThan(Math.max(...times) * 0.9);
  });

  it('cuts a connection that does not go, and one that never said HELLO', async () => {
    const relay = await startTestRelay({ limits: { drainTimeoutMs: 200 } });
    const [stuck, mute] = [await relay.connect(), await relay.open()];
    stuck.pause();
    await relay.relay.stop();
    stuck.resume();
    expect([1006, 4000]).toContain((await stuck.closed).code);
    expect([1006, 4000]).toContain((await mute.closed).code);
  });
});

describe('a listener', () => {
  afterEach(stopRelays);

  it('does not share a taken port', async () => {
    const relay = await startTestRelay();
    const port = Number(new URL(relay.url).port);
    const second = await loadConfig({ ...relay.input, listen: { port } });
    expect(() => startRelay(second, createLogger('silent'))).toThrow(`cannot listen on 127.0.0.1:${port}`);
  });

  it('gives the port back when the admin port is taken', async () => {
    const relay = await startTestRelay();
    const adminPort = Number(new URL(relay.adminUrl).port);
    const probe = await startTestRelay();
    const freePort = Number(new URL(probe.url).port);
    await probe.relay.stop();
    const second = await loadConfig({ ...relay.input, listen: { port: freePort }, admin: { port: adminPort } });
    expect(() => startRelay(second, createLogger('silent'))).toThrow(`cannot listen on 127.0.0.1:${adminPort}`);
    const refused = await new Promise((resolve) => {
      tcpConnect(freePort, '127.0.0.1').once('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    expect(refused).toBe('ECONNREFUSED');
  });
});

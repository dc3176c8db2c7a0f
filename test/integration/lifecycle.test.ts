import { connect as tcpConnect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { startRelay } from '../../src/relay.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { jsonOf, refusal, upgrade } from '../hardening/support.ts';
import { message, TestClient } from '../support/client.ts';
import { startTestRelay, stopRelays } from '../support/relay.ts';

describe('drain', () => {
  afterEach(stopRelays);

  it('says GOAWAY with another time to each, takes nobody new, and closes each at its time', async () => {
    const relay = await startTestRelay({ limits: { drainTimeoutMs: 5000 } });
    const clients = await Promise.all(Array.from({ length: 50 }, () => relay.connect()));
    const stopped = relay.relay.stop();
    const times = await Promise.all(clients.map(async (client) => (await client.nextOf(26))[1] as number));
    expect(new Set(times).size).toBeGreaterThan(20);
    expect(Math.max(...times)).toBeLessThan(50 * 2); // a few leave at once, whatever the time-out
    await expect(TestClient.open(relay.url)).rejects.toThrow('ECONNREFUSED');
    for (const client of clients) expect(await client.closed).toEqual({ code: 4000, reason: 'going_away' });
    await stopped;
  });

  it('needs no longer than drainTimeoutMs for many', async () => {
    const relay = await startTestRelay({ limits: { drainTimeoutMs: 60 } });
    const clients = await Promise.all(Array.from({ length: 50 }, () => relay.connect()));
    const stopped = relay.relay.stop();
    const times = await Promise.all(clients.map(async (client) => (await client.nextOf(26))[1] as number));
    expect(Math.max(...times)).toBeLessThan(60);
    await stopped;
  });

  it('first refuses newcomers in so many words for drainDelayMs, while those who are in are served', async () => {
    const relay = await startTestRelay({ limits: { drainDelayMs: 1000 } });
    const talking = await relay.connect();
    const late = await relay.open();
    const { channelId } = await talking.attach('room', 1 | 2 | 8);
    const stopped = relay.relay.stop();
    expect((await fetch(`${relay.adminUrl}/readyz`)).status).toBe(503);
    expect((await fetch(`${relay.adminUrl}/livez`)).status).toBe(200);
    const answer = await upgrade(relay.url);
    expect({ status: answer.status, body: jsonOf(answer) }).toEqual({ status: 503, body: refusal(503, 'draining') });
    late.send([1, 1, await relay.mint()]);
    expect(await late.nextOf(26)).toEqual([26, 0, 'shutdown']);
    talking.send(message(channelId, 'while draining'));
    await talking.nextOf(4);
    expect(talking.frames.filter(([type]) => type === 26)).toEqual([]);
    expect((await talking.nextOf(26))[2]).toBe('shutdown');
    await stopped;
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

describe('a handover on one host', () => {
  afterEach(stopRelays);

  it('says GOAWAY once a successor listens on the shared port, and the successor takes everybody', async () => {
    const relay = await startTestRelay({ listen: { shared: true }, limits: { drainDelayMs: 30_000 } });
    const client = await relay.connect();
    const stopped = relay.relay.stop();
    await expect(TestClient.open(relay.url)).rejects.toThrow('ECONNREFUSED');
    await client.flush();
    expect(client.frames.filter(([type]) => type === 26)).toEqual([]);
    const listen = { port: Number(new URL(relay.url).port), shared: true };
    const admin = { port: Number(new URL(relay.adminUrl).port) };
    const limits = { drainDelayMs: 0 };
    const successor = startRelay(await loadConfig({ ...relay.input, listen, admin, limits }), createLogger('silent'));
    await client.nextOf(26);
    const back = await TestClient.open(relay.url);
    await back.hello(await relay.mint());
    await stopped;
    await back.flush();
    back.terminate();
    await back.closed;
    await successor.stop();
  });

  it('needs shared on both sides: a port taken by mistake is an error', async () => {
    const relay = await startTestRelay({ listen: { shared: true } });
    const second = await loadConfig({ ...relay.input, listen: { port: Number(new URL(relay.url).port) } });
    expect(() => startRelay(second, createLogger('silent'))).toThrow('cannot listen');
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

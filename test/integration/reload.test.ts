import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { message, TestClient } from '../support/client.ts';
import { describeWith, makeCertificate } from '../support/programs.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describeWith(['openssl'], 'a reload', () => {
  let folder: string;
  let relay: TestRelay;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    const tls = makeCertificate(folder, 'first');
    relay = await startTestRelay({ listen: { tls } });
  });
  afterAll(async () => {
    await stopRelays();
    await rm(folder, { recursive: true });
  });

  async function secureClient(certificate: string, claims: object = {}): Promise<TestClient> {
    const client = await TestClient.open(relay.url, { ca: await readFile(`${folder}/${certificate}.pem`, 'utf8') });
    await client.hello(await relay.mint({ ...claims }));
    return client;
  }

  function presentedName(): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(
        { port: Number(new URL(relay.url).port), host: '127.0.0.1', rejectUnauthorized: false },
        () => {
          resolve(String(socket.getPeerCertificate().subject.CN));
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
  }

  it('presents the new certificate, keeps every connection, and routes between old and new ones', async () => {
    const before = await secureClient('first');
    const { channelId } = await before.attach('room', 1 | 2);
    expect(await presentedName()).toBe('first');
    const tls = makeCertificate(folder, 'second');
    relay.relay.reload(await loadConfig({ ...relay.input, listen: { port: 0, tls } }));
    expect(await presentedName()).toBe('second');
    const after = await secureClient('second');
    expect((await after.attach('room', 1 | 2)).channelId).toBe(channelId);
    before.send(message(channelId, 'old to new'));
    expect((await after.nextOf(4))[3]).toBe(before.sender);
    after.send(message(channelId, 'new to old'));
    expect((await before.nextOf(4))[3]).toBe(after.sender);
    await before.flush();
    expect(before.bodies()).toEqual(['new to old']);
  });

  it('leaves out no connection that was accepted before and is upgraded after it', async () => {
    const ca = await readFile(`${folder}/second.pem`, 'utf8');
    const early = connect({ port: Number(new URL(relay.url).port), host: '127.0.0.1', ca });
    await once(early, 'secureConnect');
    const tls = makeCertificate(folder, 'second');
    relay.relay.reload(await loadConfig({ ...relay.input, listen: { port: 0, tls } }));
    const subscriber = await TestClient.open(relay.url, { createConnection: () => early });
    await subscriber.hello(await relay.mint());
    const { channelId } = await subscriber.attach('late', 1);
    const publisher = await secureClient('second');
    await publisher.attach('late', 2);
    publisher.send(message(channelId, 'for all'));
    expect((await subscriber.nextOf(4))[1]).toBe(channelId);
  });

  it('neither gives TLS up nor takes it up', async () => {
    const plain = await loadConfig({ ...relay.input, listen: { port: 0 } });
    expect(() => relay.relay.reload(plain)).toThrow('listen.tls');
    expect(await presentedName()).toBe('second');
  });

  it('refuses no dial while certificates are exchanged', async () => {
    const dialing = { isOver: false };
    const failures: unknown[] = [];
    const dial = async (): Promise<number> => {
      let count = 0;
      for (; !dialing.isOver; count++) await presentedName().catch((error: unknown) => failures.push(error));
      return count;
    };
    const dialers = [dial(), dial(), dial()];
    for (let i = 0; i < 30; i++) {
      const tls = makeCertificate(folder, 'second');
      relay.relay.reload(await loadConfig({ ...relay.input, listen: { port: 0, tls } }));
    }
    dialing.isOver = true;
    const counts = await Promise.all(dialers);
    expect(failures).toEqual([]);
    expect(Math.min(...counts)).toBeGreaterThan(3);
  });

  it('asks the connections of old certificates to come again, so that they do not add up', async () => {
    const clients: TestClient[] = [];
    for (let i = 0; i < 6; i++) {
      clients.push(await secureClient('second'));
      const tls = makeCertificate(folder, 'second');
      relay.relay.reload(await loadConfig({ ...relay.input, listen: { port: 0, tls } }));
    }
    const [oldest, ...others] = clients;
    expect((await oldest?.nextOf(26))?.[2]).toBe('reload');
    expect(await oldest?.closed).toEqual({ code: 4000, reason: 'going_away' });
    const latest = others.at(-1);
    await latest?.flush();
    expect(latest?.frames.filter(([type]) => type === 26)).toEqual([]);
  });

  it('names every setting that needs a restart, and puts nothing of the rest in force', async () => {
    const client = await secureClient('second');
    const next = await loadConfig({
      ...relay.input,
      listen: { port: 1, tls: { certFile: `${folder}/first.pem`, keyFile: `${folder}/first-key.pem` } },
      limits: { drainDelayMs: 0, drainTimeoutMs: 0, maxConnections: 7 },
      tenants: { globex: (relay.input.tenants as Record<string, unknown>).globex },
    });
    expect(() => relay.relay.reload(next)).toThrow(
      /^listen\.port: is 0, and 1 needs a restart\nlimits\.maxConnections: .* needs a restart$/,
    );
    expect(await presentedName()).toBe('second');
    await client.flush();
  });

  it('with a certificate that is no good changes nothing', async () => {
    const current = await presentedName();
    execFileSync('cp', [`${folder}/first-key.pem`, `${folder}/other-key.pem`]);
    const tls = { certFile: `${folder}/second.pem`, keyFile: `${folder}/other-key.pem` };
    await expect(loadConfig({ ...relay.input, listen: { port: 0, tls } })).rejects.toThrow('listen.tls.keyFile');
    expect(await presentedName()).toBe(current);
  });

  it('closes the connections of a tenant or key that is gone, detaches what a narrower ceiling forbids, and no others', async () => {
    const [mine, theirs] = [await secureClient('second'), await secureClient('second', { iss: 'globex' })];
    const open = await mine.attach('open', 1);
    const shut = await mine.attach('shut', 1);
    const { acme } = relay.input.tenants as Record<string, { keys: { grants: object }[] }>;
    const narrower = { ...acme, keys: acme?.keys.map((key) => ({ ...key, grants: { open: 'rwp', room: 'rwp' } })) };
    const tls = { certFile: `${folder}/second.pem`, keyFile: `${folder}/second-key.pem` };
    relay.relay.reload(await loadConfig({ ...relay.input, listen: { port: 0, tls }, tenants: { acme: narrower } }));
    expect((await theirs.closed).code).toBe(4002);
    expect(await mine.nextOf(18)).toEqual([18, null, shut.channelId, 403, 'forbidden']);
    const publisher = await secureClient('second');
    await publisher.attach('open', 2);
    publisher.send(message(open.channelId, 'still open'));
    expect((await mine.nextOf(4))[1]).toBe(open.channelId);
    const stranger = await TestClient.open(relay.url, { ca: await readFile(`${folder}/second.pem`, 'utf8') });
    stranger.send([1, 1, await relay.mint({ iss: 'globex' })]);
    expect((await stranger.nextOf(21)).slice(2, 4)).toEqual([403, 'token_invalid']);
  });
});

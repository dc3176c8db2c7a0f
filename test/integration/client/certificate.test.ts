import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connect } from '../../../src/client/node.ts';
import { describeWith, makeCertificate } from '../../support/programs.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../../support/relay.ts';

describeWith(['openssl'], 'the SDK over wss', () => {
  let folder: string;
  let relay: TestRelay;
  let [ca, otherCa] = ['', ''];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    const [tls, other] = [makeCertificate(folder, 'relay'), makeCertificate(folder, 'other')];
    [ca, otherCa] = [await readFile(tls.certFile, 'utf8'), await readFile(other.certFile, 'utf8')];
    relay = await startTestRelay({ listen: { tls } });
  });
  afterAll(async () => {
    await stopRelays();
    await rm(folder, { recursive: true });
  });

  it('connects where it trusts the certificate, by an https: address too', async () => {
    for (const url of [relay.url, relay.url.replace('wss:', 'https:')]) {
      const client = await connect(url, { token: await relay.mint(), ca });
      expect(client.isConnected).toBe(true);
      await client.close();
    }
  });

  it('says nothing to a relay whose certificate it does not trust', async () => {
    for (const trusted of [{}, { ca: otherCa }]) {
      const connecting = connect(relay.url, { token: await relay.mint(), ...trusted });
      await expect(connecting).rejects.toMatchObject({ code: 'connection_failed', closeCode: 1006 });
    }
    expect(await relay.metrics()).toMatch(/^mayfly_connections 0$/m);
  });
});

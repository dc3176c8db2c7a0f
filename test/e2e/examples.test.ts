import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mayfly } from '../support/cli.ts';
import type { Frame, TestClient } from '../support/client.ts';
import { runExample, serveTokens, type TokenEndpoint } from '../support/examples.ts';
import { describeWith, makeCertificate } from '../support/programs.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

describe('the examples, against a relay', () => {
  let relay: TestRelay;
  let tokens: TokenEndpoint;
  beforeEach(async () => {
    relay = await startTestRelay();
    tokens = await serveTokens(() => relay.mint());
  });
  afterEach(async () => {
    tokens.stop();
    await stopRelays();
  });

  /** Runs an example to its good end; `spy` has had every frame of it. */
  async function run(file: string): Promise<{ lines: string[]; spy: TestClient }> {
    const spy = await relay.connect();
    await spy.attach('>', 1);
    const { code, stdout, stderr } = await runExample(file, { RELAY_URL: relay.url, TOKEN_URL: tokens.url }).finished;
    expect(stderr).toBe('');
    expect(code).toBe(0);
    await spy.flush();
    return { lines: stdout.trim().split('\n'), spy };
  }

  const named = (spy: TestClient): unknown[] => spy.frames.filter(([type]) => type === 27).map(([, , name]) => name);
  const bodyOf = (frame: Frame): Buffer => Buffer.from(frame[5] as Uint8Array);

  it('hello: the members see and greet each other, and the relay can read neither words nor the name', async () => {
    const { lines, spy } = await run('hello.ts');
    expect(lines.sort()).toEqual([
      'alice hears "hello alice, this is bob"',
      'alice sees bob',
      'bob hears "hello bob, this is alice"',
      'bob sees alice',
    ]);
    expect(named(spy)).toEqual([expect.stringMatching(/^[\w-]{22}\.[\w-]{22}$/)]);
    expect(spy.messages().length).toBeGreaterThanOrEqual(4);
    for (const frame of spy.messages()) expect(bodyOf(frame).toString('latin1')).not.toMatch(/hello|alice|bob/);
  });

  it('rotate-keys: nothing is refused, though frames of both generations are under way', async () => {
    const { lines, spy } = await run('rotate-keys.ts');
    expect(lines).toEqual([
      'all talk',
      'alice prepares',
      'bob prepares',
      'carol prepares',
      'alice rotates',
      'bob rotates',
      'carol rotates',
      'alice: 700 heard, 0 refused, generation 1',
      'bob: 700 heard, 0 refused, generation 1',
      'carol: 700 heard, 0 refused, generation 1',
    ]);
    // docs/ENCRYPTION.md, section 2: a KID has 7 bytes in generation 0 and 8 in generation 1
    const kidBytes = spy.messages().map((frame) => ((bodyOf(frame)[0] ?? 0) >> 4) & 7);
    const count = (bytes: number): number => kidBytes.filter((kid) => kid + 1 === bytes).length;
    expect({ old: count(7), next: count(8) }).toEqual({ old: 50 * (4 * 3 + 2 + 1), next: 50 * (1 + 2 + 3) });
  });

  it('recover-loss: the member that was away knows which numbers it lost, and gets their texts from its peers', async () => {
    const { lines, spy } = await run('recover-loss.ts');
    expect(lines).toEqual([
      'bob hears 1: one',
      'bob has lost 2 to 4',
      'bob recovers 2: two',
      'bob recovers 3: three',
      'bob recovers 4: four',
      'bob hears 5: five',
    ]);
    expect(named(spy).sort()).toEqual(['room.42', 'room.42.help']);
    for (const frame of spy.messages()) expect(bodyOf(frame).toString('latin1')).not.toMatch(/two|first/);
  });

  it('end with the reason when they get no token', async () => {
    const env = { RELAY_URL: relay.url, TOKEN_URL: `${relay.httpUrl}/nowhere` };
    const { code, stderr } = await runExample('hello.ts', env).finished;
    expect(code).toBe(1);
    expect(stderr).toContain('no token: HTTP status 404');
  });
});

describeWith(['openssl'], 'the examples, over TLS', () => {
  afterEach(stopRelays);

  it('trust the certificate in RELAY_CA, and take a token from TOKEN', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    try {
      const tls = makeCertificate(folder, 'cert');
      const relay = await startTestRelay({ listen: { tls } });
      const env = { RELAY_URL: relay.url, RELAY_CA: tls.certFile, TOKEN: await relay.mint() };
      for (const file of ['hello.ts', 'recover-loss.ts']) {
        expect(await runExample(file, env).finished, file).toMatchObject({ code: 0, stderr: '' });
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the examples, against a development relay', () => {
  it('need nothing but what it serves', async () => {
    const env = { MAYFLY_LISTEN_PORT: '0', MAYFLY_ADMIN_PORT: '0', MAYFLY_LIMITS_DRAIN_TIMEOUT_MS: '0' };
    const relay = mayfly(['serve'], env);
    await relay.output(/Ctrl-C stops/);
    const [, url = ''] = /relay +(\S+)/.exec(relay.stdout) ?? [];
    const at = { RELAY_URL: url, TOKEN_URL: `${url.replace('ws', 'http')}/demo/token` };
    for (const file of ['hello.ts', 'rotate-keys.ts', 'recover-loss.ts']) {
      expect(await runExample(file, at).finished, file).toMatchObject({ code: 0, stderr: '' });
    }
    await relay.stop();
  });
});

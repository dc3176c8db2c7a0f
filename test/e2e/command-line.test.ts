import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkplace, mayfly, type Program, runMayfly, serve, type Workplace } from '../support/cli.ts';
import { describeWith, makeCertificate } from '../support/programs.ts';

describeWith(['openssl'], 'two terminals over wss', () => {
  let workplace: Workplace;
  let relay: { program: Program; url: string; admin: string };

  beforeAll(async () => {
    workplace = await makeWorkplace((folder) => {
      makeCertificate(folder, 'cert');
      return {
        listen: { port: 0, tls: { certFile: 'cert.pem', keyFile: 'cert-key.pem' } },
        limits: { drainDelayMs: 0, drainTimeoutMs: 100 },
      };
    });
    relay = await serve(workplace);
  });
  afterAll(async () => {
    expect((await relay.program.stop()).code).toBe(0);
    await workplace.remove();
  });

  it('print on one what is said on the other', async () => {
    expect(relay.url).toMatch(/^wss:\/\/127\.0\.0\.1:\d+$/);
    const ca = ['--ca', join(workplace.folder, 'cert.pem')];
    const listener = await workplace.token('--sub', 'bob', '--can', 'room.>=r');
    const speaker = await workplace.token('--sub', 'alice', '--can', 'room.>=rw', '--ttl', '1h');
    const sub = mayfly(['sub', relay.url, 'room.42', '--token', listener, '--count', '4', ...ca]);
    await sub.output(/"attached"/, 'stderr');
    expect(await runMayfly(['pub', relay.url, 'room.42', 'hello', '--token', speaker, ...ca])).toMatchObject({
      code: 0,
      stderr: '',
    });
    expect((await runMayfly(['pub', relay.url, 'room.42', '--token', speaker, ...ca], 'one\ntwo\n')).code).toBe(0);
    expect(
      (await runMayfly(['pub', `${relay.url}/v1/ws`, 'room.42', 'three', ...ca], '', { MAYFLY_TOKEN: speaker })).code,
    ).toBe(0);
    const { code, stdout } = await sub.finished;
    expect(code).toBe(0);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ channel, seq, text }) => [channel, seq, text])).toEqual([
      ['room.42', 1, 'hello'],
      ['room.42', 2, 'one'],
      ['room.42', 3, 'two'],
      ['room.42', 4, 'three'],
    ]);
    expect(lines[0]).toMatchObject({ envelope: null, body: Buffer.from('hello').toString('base64') });
  });

  it('say why when the token does not permit it, or the certificate is not trusted', async () => {
    const reader = await workplace.token('--sub', 'bob', '--can', 'room.>=r');
    const ca = ['--ca', join(workplace.folder, 'cert.pem')];
    expect(await runMayfly(['pub', relay.url, 'room.42', 'x', '--token', reader, ...ca])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^403 forbidden/),
    });
    expect(await runMayfly(['sub', relay.url, 'room.42', '--token', 'junk', ...ca])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^403 token_invalid/),
    });
    expect(await runMayfly(['sub', relay.url, 'room.42', '--token', reader])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/certificate/),
    });
  });

  it('explain a token as the relay would judge it', async () => {
    const token = await workplace.token('--sub', 'bob', '--can', 'room.>=rw', '--not', 'room.vip=w');
    const explained = await runMayfly([
      'token',
      'explain',
      token,
      '--config',
      workplace.configFile,
      '--channel',
      'room.vip',
    ]);
    expect(JSON.parse(explained.stdout)).toMatchObject({
      accepted: true,
      permissions: 'r',
      granted: 'rw',
      ceiling: 'rwp',
      denied: 'w',
    });
    const inspected = await runMayfly(['token', 'inspect', token]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      header: { alg: 'EdDSA', kid: 'app-2026' },
      claims: { iss: 'acme', sub: 'bob' },
    });
    const refused = await runMayfly(['token', 'explain', `${token}x`, '--config', workplace.configFile]);
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ accepted: false, code: 'token_invalid' });
  });
});

describe('mayfly pub and sub with a channel key', () => {
  let workplace: Workplace;
  let relay: { program: Program; url: string; admin: string };
  let token: string;
  const newKey = async (): Promise<string> => (await runMayfly(['keygen', '--channel'])).stdout.trim();
  beforeAll(async () => {
    workplace = await makeWorkplace(() => ({ limits: { drainDelayMs: 0, drainTimeoutMs: 0 } }));
    relay = await serve(workplace);
    token = await workplace.token('--sub', 'alice', '--can', '>=rw');
  });
  afterAll(async () => {
    await relay.program.stop();
    await workplace.remove();
  });

  it('print what the same key sealed, and of all else the reason and no data', async () => {
    const [key, other] = [await newKey(), await newKey()];
    expect(Buffer.from(key, 'base64url')).toHaveLength(32);
    const at = ['a.room', '--token', token];
    const sub = mayfly(['sub', relay.url, ...at, '--key', key, '--count', '2']);
    const spy = mayfly(['sub', relay.url, 'a.*', '--token', token, '--count', '4']);
    await sub.output(/"attached"/, 'stderr');
    await spy.output(/"attached"/, 'stderr');
    const pub = (...args: string[]) => runMayfly(['pub', relay.url, ...at, ...args], 'stdin\n', { MAYFLY_KEY: key });
    expect(await pub('sealed secret')).toMatchObject({ code: 0, stderr: '' });
    expect((await pub('forged secret', '--key', other)).code).toBe(0);
    expect((await runMayfly(['pub', relay.url, ...at, 'plain secret'])).code).toBe(0);
    expect((await pub()).code).toBe(0);
    const { code, stdout, stderr } = await sub.finished;
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect([code, lines.map(({ seq, text }) => [seq, text])]).toEqual([
      0,
      [
        [1, 'sealed secret'],
        [4, 'stdin'],
      ],
    ]);
    expect(stderr).toMatch(
      /"event":"refused".*"not_authentic".*"seq":2[\s\S]*"event":"refused".*"not_encrypted".*"seq":3/,
    );
    expect(stderr).not.toMatch(/secret/);
    const seen = (await spy.finished).stdout;
    expect(seen).toContain('plain secret');
    expect(seen).not.toMatch(/sealed|forged|stdin/);
    for (const text of ['sealed', 'forged', 'stdin']) expect(seen).not.toContain(Buffer.from(text).toString('base64'));
  });

  it.each(['short', `${'A'.repeat(42)}B`, `${'+'.repeat(43)}`])(
    'refuse the key %s and do not repeat it',
    async (key) => {
      for (const command of ['pub', 'sub']) {
        const finished = await runMayfly([command, relay.url, 'room', '--token', token, '--key', key], 'x');
        expect(finished).toMatchObject({ code: 1, stdout: '' });
        expect(finished.stderr).toBe('the channel key is not one that "mayfly keygen --channel" prints\n');
      }
    },
  );

  it('come back to a relay that was killed, and say what nobody knows', async () => {
    const key = await newKey();
    const mortal = await serve(workplace);
    const sub = mayfly(['sub', mortal.url, 'room', '--token', token, '--key', key, '--count', '2']);
    await sub.output(/"attached"/, 'stderr');
    const { port } = new URL(mortal.url);
    const pub = (text: string) => runMayfly(['pub', mortal.url, 'room', text, '--token', token, '--key', key]);
    expect((await pub('before')).code).toBe(0);
    await sub.output(/before/);
    await mortal.program.stop('SIGKILL');
    expect(await pub('nobody')).toMatchObject({ code: 1, stderr: expect.stringMatching(/ECONNREFUSED/) });
    const next = await serve(workplace, ['env', `MAYFLY_LISTEN_PORT=${port}`]);
    await sub.output(/"event":"loss","channel":"room","count":null,"cause":"reconnect"/, 'stderr');
    await sub.output(/"event":"reconnected","isSameRelay":false/, 'stderr');
    expect((await pub('after')).code).toBe(0);
    expect((await sub.finished).stdout).toMatch(/"text":"before".*\n.*"text":"after"/);
    await next.program.stop();
  });

  it('end with the reason when the relay ends the attachment or the connection, also while input is awaited', async () => {
    const mortal = await serve(workplace);
    const channel = 'room.gone';
    const sub = mayfly(['sub', mortal.url, channel, '--token', token]);
    await sub.output(/"attached"/, 'stderr');
    const pub = mayfly(['pub', mortal.url, channel, '--token', token]);
    pub.child.stdin?.write('one\n');
    await sub.output(/"text":"one"/);
    const config = JSON.parse(await readFile(workplace.configFile, 'utf8')) as {
      tenants: { acme: { keys: { grants: object }[] } };
    };
    for (const key of config.tenants.acme.keys) key.grants = { other: 'rw' };
    const before = await readFile(workplace.configFile);
    await writeFile(workplace.configFile, JSON.stringify(config));
    mortal.program.child.kill('SIGHUP');
    for (const program of [sub, pub])
      expect(await program.finished).toMatchObject({ code: 1, stderr: expect.stringMatching(/^403 forbidden: /m) });
    await writeFile(workplace.configFile, before);
    await mortal.program.stop();
    const next = await serve(workplace);
    const waiting = mayfly(['pub', next.url, channel, '--token', token, '--key', await newKey()]);
    const listener = mayfly(['sub', next.url, channel, '--token', token]);
    await listener.output(/"attached"/, 'stderr');
    waiting.child.stdin?.write('two\n');
    await listener.output(/"seq":1/);
    await next.program.stop('SIGKILL');
    expect(await waiting.finished).toMatchObject({ code: 1, stderr: 'the connection ended: 1006\n' });
    await listener.stop('SIGTERM');
  });

  it.each(['pub', 'sub'])('say in one line what is wrong with a name: %s', async (command) => {
    const finished = await runMayfly(
      [command, relay.url, 'not a name', '--token', token, '--key', await newKey()],
      'x',
    );
    expect(finished).toMatchObject({ code: 1, stderr: expect.stringMatching(/^400 bad_channel: [^\n]*\n$/) });
  });

  it('refuse plain ws to other machines unless told otherwise', async () => {
    const finished = await runMayfly(['pub', 'ws://relay.example', 'room', 'x', '--token', token]);
    expect(finished).toMatchObject({ code: 1, stderr: expect.stringMatching(/^insecure_url: /) });
  });
});

describe('mayfly keygen', () => {
  it.each(['EdDSA', 'ES256', 'RS256', 'HS256'])(
    'makes a %s key that a relay takes and tokens are minted with',
    async (alg) => {
      const workplace = await makeWorkplace();
      try {
        const pair = (await runMayfly(['keygen', '--alg', alg])).stdout;
        const keyFile = join(workplace.folder, 'key.jwk');
        await writeFile(keyFile, pair);
        const jwk = JSON.parse((await runMayfly(['keygen', '--public', keyFile])).stdout) as object;
        expect(jwk).toEqual((JSON.parse(pair) as { public: object }).public);
        const config = join(workplace.folder, 'config.json');
        await writeFile(
          config,
          JSON.stringify({ tenants: { t: { keys: [{ kid: 'k', jwk, grants: { '>': 'r' } }] } } }),
        );
        const token = (
          await runMayfly([
            'token',
            'mint',
            '--key',
            keyFile,
            '--tenant',
            't',
            '--kid',
            'k',
            '--sub',
            's',
            '--can',
            '>=r',
          ])
        ).stdout.trim();
        const explained = await runMayfly(['token', 'explain', token, '--config', config, '--channel', 'a']);
        expect(JSON.parse(explained.stdout)).toMatchObject({ accepted: true, permissions: 'r' });
      } finally {
        await workplace.remove();
      }
    },
  );
});

describe('mayfly serve', () => {
  it('starts a development relay without a configuration, and prints commands that work as they stand', async () => {
    const relay = mayfly(['serve'], {
      MAYFLY_LISTEN_PORT: '0',
      MAYFLY_ADMIN_PORT: '0',
      MAYFLY_LIMITS_DRAIN_TIMEOUT_MS: '0',
    });
    await relay.output(/Ctrl-C stops/);
    const command = (name: string): string[] =>
      (new RegExp(`bin/mayfly (${name} .*)`).exec(relay.stdout)?.[1] ?? '').split(' ');
    const sub = mayfly([...command('sub'), '--count', '1']);
    await sub.output(/"attached"/, 'stderr');
    expect((await runMayfly(command('pub'))).code).toBe(0);
    expect((await sub.finished).stdout).toContain('"text":"hello"');
    expect((await relay.stop('SIGINT')).code).toBe(0);
  });

  it('lists every problem of a configuration at once and exits 78', async () => {
    const workplace = await makeWorkplace(() => ({
      listen: { port: 70000, host: '0.0.0.0' },
      limit: {},
      limits: { maxFrameBytes: 1 },
    }));
    const finished = await runMayfly(['serve', '--config', workplace.configFile]);
    expect(finished.code).toBe(78);
    expect(finished.stdout).toBe('');
    for (const path of ['listen.port: is 70000', 'limit: is not a setting', 'limits.maxFrameBytes: is 1'])
      expect(finished.stderr).toContain(path);
    expect((await runMayfly(['serve', '--check', '--config', workplace.configFile])).code).toBe(78);
    await workplace.remove();
  });

  it.each([
    ['a file that is not there', 'missing.json', 'ENOENT'],
    ['a certificate that cannot be read', 'tls.json', 'certFile'],
    ['a certificate that is none', 'junk.json', 'listen.tls.certFile: holds no certificate in PEM'],
    ['a key that is none', 'junk.json', 'listen.tls.keyFile: holds no private key in PEM'],
    ['a file that is no JSON', 'junk.pem', 'junk.pem: line 1, column 1: expected a value'],
    ['less memory than the process takes', 'memory.json', 'limits.maxMemoryBytes: is 67108864, and'],
  ])('says one clear line for %s and exits 78, at a start and at a check', async (_, file, text) => {
    const workplace = await makeWorkplace();
    const tls = (certFile: string) =>
      JSON.stringify({ listen: { tls: { certFile, keyFile: 'junk.pem' } }, tenants: {} });
    await writeFile(join(workplace.folder, 'tls.json'), tls('absent.pem'));
    await writeFile(join(workplace.folder, 'junk.json'), tls('junk.pem'));
    await writeFile(join(workplace.folder, 'junk.pem'), 'junk');
    await writeFile(
      join(workplace.folder, 'memory.json'),
      JSON.stringify({ tenants: {}, limits: { maxMemoryBytes: 67_108_864 } }),
    );
    for (const check of [[], ['--check']]) {
      const finished = await runMayfly(['serve', ...check, '--config', join(workplace.folder, file)]);
      expect(finished.code).toBe(78);
      expect(finished.stdout).toBe('');
      expect(finished.stderr.split('\n').filter((line) => line.startsWith(`  `) && line.includes(text))).toHaveLength(
        1,
      );
    }
    await workplace.remove();
  });

  it('warns of what is doubtful and goes on, at a check and at a start', async () => {
    const workplace = await makeWorkplace();
    const config = JSON.parse(await readFile(workplace.configFile, 'utf8')) as { tenants: Record<string, unknown> };
    config.tenants.other = config.tenants.acme;
    await writeFile(workplace.configFile, JSON.stringify(config));
    const warning = /tenants\.other\.keys: app-2026 is the same key as another of the tenant acme/;
    const checked = await runMayfly(['serve', '--check', '--config', workplace.configFile]);
    expect(checked).toMatchObject({ code: 0, stdout: 'the configuration is good\n' });
    expect(checked.stderr).toMatch(warning);
    const { program } = await serve(workplace);
    expect((await program.stop()).stderr).toMatch(warning);
    await workplace.remove();
  });

  it('says one clear line for a port in use and exits 1', async () => {
    const workplace = await makeWorkplace();
    const first = await serve(workplace);
    const port = new URL(first.url).port;
    const second = await runMayfly(['serve', '--config', workplace.configFile], '', { MAYFLY_LISTEN_PORT: port });
    expect(second).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `cannot listen on 127.0.0.1:${port}: the port is taken, or not allowed\n`,
    });
    await first.program.stop();
    await workplace.remove();
  });

  it('drains once when a terminal and npm both pass a Ctrl-C on, and is not ended by SIGHUP meanwhile', async () => {
    const workplace = await makeWorkplace(() => ({ limits: { drainDelayMs: 0, drainTimeoutMs: 700 } }));
    const relay = await serve(workplace);
    const sub = mayfly(['sub', relay.url, 'x', '--token', await workplace.token('--sub', 'a', '--can', '>=r')]);
    await sub.output(/"attached"/, 'stderr');
    relay.program.child.kill('SIGINT');
    relay.program.child.kill('SIGINT');
    relay.program.child.kill('SIGHUP');
    expect((await relay.program.finished).code).toBe(0);
    await sub.output(/"draining"[\s\S]*"reconnecting","inMs":\d+(?:\.\d+)?,"code":4000/, 'stderr');
    expect((await sub.stop('SIGINT')).code).toBe(0);
    await workplace.remove();
  });

  it('takes a new key at SIGHUP, and keeps the old configuration when the new one is no good', async () => {
    const workplace = await makeWorkplace();
    const relay = await serve(workplace);
    const good = JSON.parse(await readFile(workplace.configFile, 'utf8')) as { tenants: { acme: { keys: object[] } } };
    const pair = (await runMayfly(['keygen', '--alg', 'ES256'])).stdout;
    const nextKey = join(workplace.folder, 'next.jwk');
    await writeFile(nextKey, pair);
    good.tenants.acme.keys.push({
      kid: 'next',
      jwk: (JSON.parse(pair) as { public: object }).public,
      grants: { x: 'w' },
    });
    await writeFile(workplace.configFile, JSON.stringify(good));
    relay.program.child.kill('SIGHUP');
    await relay.program.output(/"reloaded"/, 'stderr');
    const mint = ['token', 'mint', '--key', nextKey, '--tenant', 'acme', '--kid', 'next', '--sub', 'a', '--can', 'x=w'];
    const nextToken = (await runMayfly(mint)).stdout.trim();
    expect((await runMayfly(['pub', relay.url, 'x', 'hello', '--token', nextToken])).code).toBe(0);
    await writeFile(workplace.configFile, '{');
    relay.program.child.kill('SIGHUP');
    await relay.program.output(/reload refused/, 'stderr');
    const token = await workplace.token('--sub', 'a', '--can', '>=w');
    expect((await runMayfly(['pub', relay.url, 'x', 'hello', '--token', token])).code).toBe(0);
    expect((await relay.program.stop()).code).toBe(0);
    await workplace.remove();
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig, loadConfigFile } from '../../../src/config/load.ts';
import { ConfigError } from '../../../src/errors.ts';
import { describeWith, makeCertificate } from '../../support/programs.ts';
import { configWith, keyWith, publicJwk } from './configs.ts';

const folder = mkdtempSync(join(tmpdir(), 'mayfly-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: unknown): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

describeWith(['openssl'], 'the example configuration', () => {
  it('loads with exactly its values', async () => {
    makeCertificate(folder, 'cert');
    const example = {
      listen: { host: '127.0.0.1', port: 8443, tls: { certFile: 'cert.pem', keyFile: 'cert-key.pem' } },
      admin: { host: '127.0.0.1', port: 9464 },
      tenants: {
        acme: {
          keys: [
            { kid: 'app-2026', jwk: publicJwk, grants: { '>': 'rwp' } },
            { kid: 'ops-2026', jwk: publicJwk, grants: { '>': 'rwpa' }, ops: ['revoke'] },
          ],
          limits: { connections: 20_000, framesPerSecond: 1000 },
        },
      },
      limits: {
        maxFrameBytes: 65_536,
        maxBufferedBytes: 1_048_576,
        slowConsumerTimeoutMs: 10_000,
        helloTimeoutMs: 10_000,
        drainDelayMs: 1000,
        drainTimeoutMs: 8000,
      },
    };
    const { config, keys, tls } = await loadConfigFile(write('example.json', example), {});
    expect(config).toMatchObject(example);
    expect([...(keys.get('acme')?.keys() ?? [])]).toEqual(['app-2026', 'ops-2026']);
    expect(keys.get('acme')?.get('ops-2026')).toMatchObject({ ops: ['revoke'], ceiling: [{ permissions: 15 }] });
    expect(tls).toMatchObject({ certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'cert-key.pem') });
  });

  it('is refused when certificate and key are not a pair', async () => {
    makeCertificate(folder, 'other');
    const listen = { tls: { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'other-key.pem') } };
    await expect(loadConfig(configWith({ listen }))).rejects.toMatchObject({
      problems: [{ path: 'listen.tls.keyFile' }],
    });
  });
});

describe('a configuration', () => {
  it('has the defaults of the example where it says nothing', async () => {
    const { config } = await loadConfig(configWith());
    expect(config.listen).toMatchObject({ host: '127.0.0.1', port: 8443 });
    expect(config.admin).toEqual({ host: '127.0.0.1', port: 9464 });
    expect(config.limits).toMatchObject({
      maxFrameBytes: 65_536,
      maxBufferedBytes: 1_048_576,
      slowConsumerTimeoutMs: 10_000,
      helloTimeoutMs: 10_000,
      drainDelayMs: 1000,
      drainTimeoutMs: 8000,
    });
  });

  it('is not changed by being read, and cannot be changed after it', async () => {
    const input = configWith({ listen: {} });
    const before = structuredClone(input);
    const { config } = await loadConfig(input, { MAYFLY_LISTEN_PORT: '1' });
    expect(input).toEqual(before);
    expect(() => Object.assign(config.limits, { maxFrameBytes: 1 })).toThrow(TypeError);
  });

  it('may take port 0 for both listeners', async () => {
    const { config } = await loadConfig(configWith({ listen: { port: 0 }, admin: { port: 0 } }));
    expect([config.listen.port, config.admin.port]).toEqual([0, 0]);
  });

  it('that is not there, or not JSON, is refused with the name of the file and nothing of what is in it', async () => {
    const secret = '{"k": "very secret" ';
    for (const file of [join(folder, 'none.json'), write('broken.json', secret)]) {
      const error = await loadConfigFile(file, {}).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ problems: [{ path: file }] });
      expect(String(error)).not.toContain('secret');
    }
  });

  it('that is not JSON is refused with line and column', async () => {
    const file = write('comma.json', '{\n  "listen": { "port": 8443, },\n  "tenants": {}\n}');
    await expect(loadConfigFile(file, {})).rejects.toMatchObject({
      problems: [{ path: file, message: 'line 2, column 29: expected a name in double quotes' }],
    });
  });

  it('in which a name stands twice is refused with its path, line and column', async () => {
    const limits = '"limits": { "maxFrameBytes": 1024,\n "maxFrameBytes": 2048 }';
    const key = JSON.stringify({ keys: [keyWith()] });
    for (const [text, message] of [
      [`{ ${limits} }`, 'line 2, column 2: limits.maxFrameBytes is there twice'],
      [`{ "tenants": {\n "acme": ${key},\n "acme": ${key} } }`, 'line 3, column 2: tenants.acme is there twice'],
    ] as const) {
      const file = write('twice.json', text);
      await expect(loadConfigFile(file, {})).rejects.toMatchObject({ problems: [{ path: file, message }] });
    }
  });

  it('may begin with a byte order mark, and must be UTF-8', async () => {
    const text = JSON.stringify(configWith());
    await expect(loadConfigFile(write('bom.json', `\ufeff${text}`), {})).resolves.toHaveProperty('config');
    const file = join(folder, 'utf16.json');
    for (const bytes of [Buffer.from(`\ufeff${text}`, 'utf16le'), Buffer.from('{"$schema": "caf\u00e9"}', 'latin1')]) {
      writeFileSync(file, bytes);
      await expect(loadConfigFile(file, {})).rejects.toMatchObject({
        problems: [{ path: file, message: 'is not UTF-8' }],
      });
    }
  });

  it('keeps the keys of its tenants apart', async () => {
    const tenants = { acme: { keys: [keyWith()] }, globex: { keys: [keyWith({ kid: 'other' })] } };
    const { keys } = await loadConfig({ tenants });
    expect([...keys].map(([tenant, ring]) => [tenant, ...ring.keys()])).toEqual([
      ['acme', 'app'],
      ['globex', 'other'],
    ]);
  });
});

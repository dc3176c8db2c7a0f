import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { configWith, pathsOf, problemsOf } from './configs.ts';

describe('the environment', () => {
  it.each<[string, string, string, unknown]>([
    ['MAYFLY_LISTEN_PORT', '9000', 'listen.port', 9000],
    ['MAYFLY_LISTEN_HOST', 'localhost', 'listen.host', 'localhost'],
    ['MAYFLY_LISTEN_HOST', '127.0.0.2', 'listen.host', '127.0.0.2'],
    ['MAYFLY_LISTEN_BEHIND_PROXY', 'true', 'listen.behindProxy', true],
    ['MAYFLY_ADMIN_HOST', '::1', 'admin.host', '::1'],
    ['MAYFLY_ADMIN_PORT', '0', 'admin.port', 0],
    ['MAYFLY_LIMITS_MAX_FRAME_BYTES', '1024', 'limits.maxFrameBytes', 1024],
    ['MAYFLY_LIMITS_SLOW_CONSUMER_TIMEOUT_MS', '500', 'limits.slowConsumerTimeoutMs', 500],
    ['MAYFLY_LIMITS_MAX_TOKEN_TTL_SECONDS', '60', 'limits.maxTokenTtlSeconds', 60],
  ])('overrides the file: %s=%s', async (variable, text, path, value) => {
    const file = configWith({ listen: { port: 1234 }, admin: { port: 1235 }, limits: { maxFrameBytes: 2048 } });
    const { config } = await loadConfig(file, { [variable]: text });
    expect(config).toHaveProperty(path, value);
  });

  it('fills in sections the file does not have', async () => {
    const paths = await pathsOf(configWith(), {
      MAYFLY_LISTEN_TLS_CERT_FILE: '/none/cert.pem',
      MAYFLY_LISTEN_TLS_KEY_FILE: '/none/key.pem',
    });
    expect(paths).toContain('listen.tls.certFile');
  });

  it.each(['MAYFLY_LISTEN_PROT', 'MAYFLY_', 'MAYFLY_TENANTS', 'MAYFLY_LISTEN_TLS', 'MAYFLY_listen_port'])(
    'with %s, which is no setting, is a problem',
    async (variable) => {
      expect(await problemsOf(configWith(), { [variable]: 'top secret' })).toEqual([
        { path: variable, message: expect.not.stringContaining('secret') },
      ]);
    },
  );

  it('may hold the file, a token and what is of others', async () => {
    const env = { MAYFLY_CONFIG: 'x', MAYFLY_TOKEN: 'y', PATH: '/bin', mayfly_port: '1', NOT_MAYFLY_PORT: '2' };
    expect(await pathsOf(configWith(), env)).toEqual([]);
  });

  it.each<[string, Record<string, string>]>([
    [
      'a Kubernetes service mayfly',
      {
        MAYFLY_SERVICE_HOST: '10.96.12.7',
        MAYFLY_SERVICE_PORT: '8443',
        MAYFLY_SERVICE_PORT_WSS: '8443',
        MAYFLY_SERVICE_PORT_ADMIN_METRICS: '9464',
        MAYFLY_PORT: 'tcp://10.96.12.7:8443',
        MAYFLY_PORT_8443_TCP: 'tcp://10.96.12.7:8443',
        MAYFLY_PORT_8443_TCP_PROTO: 'tcp',
        MAYFLY_PORT_8443_TCP_PORT: '8443',
        MAYFLY_PORT_8443_TCP_ADDR: '10.96.12.7',
      },
    ],
    [
      'a Kubernetes service mayfly of IPv6',
      {
        MAYFLY_SERVICE_HOST: 'fd00:10:96::7',
        MAYFLY_PORT: 'tcp://[fd00:10:96::7]:8443',
        MAYFLY_PORT_8443_UDP: 'udp://[fd00:10:96::7]:8443',
        MAYFLY_PORT_8443_UDP_PROTO: 'udp',
        MAYFLY_PORT_8443_UDP_ADDR: 'fd00:10:96::7',
      },
    ],
    [
      'Kubernetes services mayfly-admin and mayfly-listen',
      {
        MAYFLY_ADMIN_SERVICE_HOST: '10.96.12.8',
        MAYFLY_ADMIN_SERVICE_PORT: '9464',
        MAYFLY_ADMIN_PORT: 'tcp://10.96.12.8:9464',
        MAYFLY_ADMIN_PORT_9464_TCP_ADDR: '10.96.12.8',
        MAYFLY_LISTEN_PORT: 'tcp://10.96.12.9:8443',
      },
    ],
    [
      'a linked container of Docker',
      {
        MAYFLY_NAME: '/web/mayfly',
        MAYFLY_PORT: 'tcp://172.17.0.5:8443',
        MAYFLY_PORT_8443_TCP: 'tcp://172.17.0.5:8443',
        MAYFLY_PORT_8443_TCP_PROTO: 'tcp',
      },
    ],
  ])('passes over what is set for %s', async (_, env) => {
    const { config } = await loadConfig(configWith({ listen: { port: 1234 } }), env);
    expect([config.listen.port, config.admin.port]).toEqual([1234, 9464]);
  });

  it.each([
    ['MAYFLY_PORT', '8443'],
    ['MAYFLY_PORT', 'tcp://10.0.0.1'],
    ['MAYFLY_PORT', 'http://10.0.0.1:8443'],
    ['MAYFLY_SERVICE_HOST', 'relay.example'],
    ['MAYFLY_SERVICE_PORT', 'https'],
    ['MAYFLY_SERVICE', '10.0.0.1'],
    ['MAYFLY_PORT_8443', 'tcp://10.0.0.1:8443'],
    ['MAYFLY_PORT_8443_TCP_PROTO', 'http'],
    ['MAYFLY_PORT_WSS_TCP', 'tcp://10.0.0.1:8443'],
    ['MAYFLY_LISTEN_PROT', 'tcp://10.0.0.1:8443'],
    ['MAYFLY_LIMITS_MAX_FRAMES', '1024'],
    ['MAYFLY_NAME', 'relay'],
    ['MAYFLYX_SERVICE_HOST_', '10.0.0.1'],
  ])('with %s=%s, which nobody sets for a service, is a problem when it begins as ours do', async (variable, value) => {
    const isOurs = variable.startsWith('MAYFLY_');
    expect(await pathsOf(configWith(), { [variable]: value })).toEqual(isOurs ? [variable] : []);
  });

  it.each(['', 'abc', '1e9', '"80"', '-1', '8443.5', '[1]', 'null'])('with the port %j is a problem', async (port) => {
    expect(await pathsOf(configWith(), { MAYFLY_LISTEN_PORT: port })).toContain('listen.port');
  });
});

import { describe, expect, it } from 'vitest';
import { configWith, keyWith, pathsOf, problemsOf } from './configs.ts';

const SECRET = 'c2VjcmV0LXNlY3JldC1zZWNyZXQ';
const SHORT = { kty: 'oct', k: SECRET };

describe('a configuration with many problems', () => {
  it('is refused once, with every problem and its path', async () => {
    const input = {
      listen: { host: '', port: 70_000, proxied: true },
      admin: { port: '9464' },
      tenants: {
        acme: { keys: [keyWith({ jwk: SHORT }), keyWith({ kid: 'b', grants: { 'a..b': 'r', room: 'rx' } })] },
      },
      limits: { maxFrameBytes: 1, helloTimeoutMs: 1.5, maxFrames: 10 },
      cors: { origins: 'https://app.example' },
      tenant: {},
    };
    const paths = await pathsOf(input, { MAYFLY_LISTEN_PROT: '1' });
    expect([...new Set(paths)].sort()).toEqual(
      [
        'MAYFLY_LISTEN_PROT',
        'listen.host',
        'listen.port',
        'listen.proxied',
        'admin.port',
        'tenants.acme.keys.0.jwk',
        'tenants.acme.keys.1.grants',
        'limits.maxFrameBytes',
        'limits.helloTimeoutMs',
        'limits.maxFrames',
        'cors.origins',
        'tenant',
      ].sort(),
    );
  });

  it('is told of what settings mean together in the same breath as of a setting that is wrong alone', async () => {
    const paths = await pathsOf(configWith({ listen: { host: '0.0.0.0' }, limits: { maxFrames: 1 } }));
    expect(paths.sort()).toEqual(['limits.maxFrames', 'listen']);
  });

  it('is told of a file that cannot be read in the same breath as of a setting that is wrong', async () => {
    const tls = { certFile: '/none/cert.pem', keyFile: '/none/key.pem' };
    const paths = await pathsOf(configWith({ listen: { tls }, limits: { maxFrames: 1 } }));
    expect(paths.sort()).toEqual(['limits.maxFrames', 'listen.tls.certFile', 'listen.tls.keyFile']);
  });

  it('is told of a key that is wrong, whatever is wrong with another tenant', async () => {
    const tenants = { acme: { keys: [keyWith({ jwk: SHORT })] }, globex: { keys: [keyWith()], limit: {} } };
    expect((await pathsOf({ tenants })).sort()).toEqual(['tenants.acme.keys.0.jwk', 'tenants.globex.limit']);
  });

  it('may name a tenant with dots in it', async () => {
    expect(await pathsOf({ tenants: { 'acme.example': { keys: [keyWith()], limit: {} } } })).toEqual([
      'tenants.acme.example.limit',
    ]);
  });

  it('is told of each problem once', async () => {
    expect(await pathsOf(configWith({ listen: { port: -1.5 } }))).toEqual(['listen.port']);
  });
});

describe('a configuration is refused', () => {
  it.each<[string, Record<string, unknown>, string]>([
    ['without tenants', { tenants: undefined }, 'tenants'],
    ['with a list of tenants', { tenants: [{ keys: [keyWith()] }] }, 'tenants'],
    ['with a tenant without keys', { tenants: { acme: { keys: [] } } }, 'tenants.acme.keys'],
    [
      'with a key without kid',
      { tenants: { acme: { keys: [keyWith({ kid: undefined })] } } },
      'tenants.acme.keys.0.kid',
    ],
    [
      'with a list of grants',
      { tenants: { acme: { keys: [keyWith({ grants: ['r'] })] } } },
      'tenants.acme.keys.0.grants',
    ],
    [
      'with an unknown operation',
      { tenants: { acme: { keys: [keyWith({ ops: ['mint'] })] } } },
      'tenants.acme.keys.0.ops.0',
    ],
    ['off loopback without tls', { listen: { host: '0.0.0.0' } }, 'listen'],
    ['off loopback without tls, in IPv6', { listen: { host: '::' } }, 'listen'],
    ['on a name without tls', { listen: { host: 'relay.example' } }, 'listen'],
    ['on a name that starts like loopback', { listen: { host: '127.0.0.1.example' } }, 'listen'],
    ['with one port for both listeners', { listen: { port: 9464 } }, 'admin.port'],
    [
      'with one port for all addresses and for one',
      { listen: { host: '0.0.0.0', port: 9464, behindProxy: true } },
      'admin.port',
    ],
    ['with one port for one address and for all', { listen: { port: 9464 }, admin: { host: '::' } }, 'admin.port'],
    ['with one port for loopback by two names', { listen: { host: 'LOCALHOST', port: 9464 } }, 'admin.port'],
    [
      'with less room than two frames',
      { limits: { maxFrameBytes: 1_048_576, maxBufferedBytes: 1_048_576 } },
      'limits.maxBufferedBytes',
    ],
    ['with tls of one file', { listen: { tls: { certFile: 'cert.pem' } } }, 'listen.tls.keyFile'],
    ['with a limit of text', { limits: { maxFrameBytes: '65536' } }, 'limits.maxFrameBytes'],
  ])('%s', async (_, change, path) => {
    expect(await pathsOf(configWith(change))).toEqual([path]);
  });

  it('not with one port on two addresses', async () => {
    expect(await pathsOf(configWith({ listen: { host: '::1', port: 9464 } }))).toEqual([]);
  });

  it.each(['127.0.0.1', '127.8.9.1', '::1', 'localhost'])('not on %s without tls', async (host) => {
    expect(await pathsOf(configWith({ listen: { host } }))).toEqual([]);
  });

  it('not off loopback behind a proxy', async () => {
    expect(await pathsOf(configWith({ listen: { host: '0.0.0.0', behindProxy: true } }))).toEqual([]);
  });

  it.each([
    ['[::1]', 'must be written without brackets: ::1'],
    ['[::1]:8443', 'must be an IP address or a host name, and nothing else'],
    ['127.0.0.1:8443', 'must be an IP address or a host name, and nothing else'],
    ['https://relay.example', 'must be an IP address or a host name, and nothing else'],
    ['*', 'must be an IP address or a host name, and nothing else'],
    [' localhost', 'must be an IP address or a host name, and nothing else'],
  ])('with the host %s, and says what to write', async (host, wanted) => {
    const settings = { listen: { host, behindProxy: true }, admin: { host } };
    const message = `is ${JSON.stringify(host)}, ${wanted}`;
    expect(await problemsOf(configWith(settings))).toEqual([
      { path: 'listen.host', message },
      { path: 'admin.host', message },
    ]);
  });

  it.each(['::', 'fe80::1%lo', 'relay.example', 'a-b', 'LOCALHOST', '0.0.0.0'])(
    'not with the host %s',
    async (host) => {
      expect(await pathsOf(configWith({ listen: { host, behindProxy: true } }))).toEqual([]);
    },
  );

  it('with the value found and the range that would do', async () => {
    const [problem] = await problemsOf(configWith({ listen: { port: 70_000 } }));
    expect(problem?.message).toMatch(/70000.*0 to 65535/);
  });
});

describe('a problem never quotes a secret', () => {
  it.each<[string, unknown]>([
    ['in a jwk that is too short', { acme: { keys: [keyWith({ jwk: SHORT })] } }],
    ['in a jwk without kty', { acme: { keys: [keyWith({ jwk: { k: SECRET } })] } }],
    ['given as a jwk', { acme: { keys: [keyWith({ jwk: SECRET })] } }],
    ['in a jwk given as a key', { acme: { keys: [SHORT] } }],
    ['given as a key', { acme: { keys: [SECRET] } }],
    ['given as the keys', { acme: { keys: SECRET } }],
    ['in a key that is not in a list', { acme: { keys: { kid: 'a', jwk: SHORT } } }],
    ['under a misspelt name', { acme: { keys: [{ kid: 'a', jkw: SHORT, grants: {} }] } }],
    ['given as a tenant', { acme: SECRET }],
    ['given as the tenants', SECRET],
    ['in the kty of a jwk', { acme: { keys: [keyWith({ jwk: { kty: [SECRET] } })] } }],
  ])('%s', async (_, tenants) => {
    const problems = await problemsOf({ tenants });
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems)).not.toContain(SECRET.slice(0, 12));
  });
});

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inspectPair } from '../../src/config/certificates.ts';
import { loadTls } from '../../src/config/tls.ts';
import { createApp, listen } from '../../src/edge/uws.ts';
import { ConfigError } from '../../src/errors.ts';
import { describeWith } from '../support/programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'mayfly-certificates-'));
const DAY_MS = 86_400_000;

const path = (name: string): string => join(folder, name);
const openssl = (...args: string[]): void => {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' });
};
const read = (name: string): Buffer => readFileSync(path(name));
const write = (name: string, ...parts: (string | Buffer)[]): void =>
  writeFileSync(path(name), Buffer.concat(parts.map((part) => Buffer.from(part as string))));

/** A self-signed pair, `NAME.pem` and `NAME.key`. */
function make(name: string, ...kind: string[]): void {
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost'];
  openssl(
    'req',
    '-x509',
    '-nodes',
    '-days',
    '30',
    ...subject,
    ...kind,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
  );
}

const curve = (name: string, ...more: string[]): string[] => [
  '-newkey',
  'ec',
  '-pkeyopt',
  `ec_paramgen_curve:${name}`,
  ...more,
];

/** Pairs, and the setting at fault; undefined where the server takes it. */
const PAIRS: readonly (readonly [
  name: string,
  cert: string,
  key: string,
  fault: 'certFile' | 'keyFile' | undefined,
])[] = [
  ['RSA', 'rsa.pem', 'rsa.key', undefined],
  ['P-256', 'p256.pem', 'p256.key', undefined],
  ['P-384', 'p384.pem', 'p384.key', undefined],
  ['P-521', 'p521.pem', 'p521.key', undefined],
  ['Ed25519', 'ed25519.pem', 'ed25519.key', undefined],
  ['RSA in PKCS #1', 'rsa.pem', 'pkcs1.key', undefined],
  ['P-256 with parameters ahead of the key', 'p256.pem', 'parameters.key', undefined],
  ['lines that end with CR LF', 'crlf.pem', 'crlf.key', undefined],
  ['both in one file', 'both.pem', 'both.pem', undefined],
  ['RSA-PSS', 'rsapss.pem', 'rsapss.key', 'certFile'],
  ['secp256k1', 'secp256k1.pem', 'secp256k1.key', 'certFile'],
  ['secp224r1', 'secp224r1.pem', 'secp224r1.key', 'certFile'],
  ['brainpool', 'brainpool.pem', 'brainpool.key', 'certFile'],
  ['Ed448', 'ed448.pem', 'ed448.key', 'certFile'],
  ['a curve spelled out', 'explicit.pem', 'explicit.key', 'certFile'],
  ['a byte order mark in the certificate', 'bom.pem', 'rsa.key', 'certFile'],
  ['a byte order mark in the key', 'rsa.pem', 'bom.key', 'keyFile'],
  ['UTF-16', 'utf16.pem', 'rsa.key', 'certFile'],
  ['DER', 'rsa.der', 'rsa.key', 'certFile'],
  ['a key in DER', 'rsa.pem', 'rsa.key.der', 'keyFile'],
  ['a key in place of the certificate', 'rsa.key', 'rsa.key', 'certFile'],
  ['a certificate in place of the key', 'rsa.pem', 'rsa.pem', 'keyFile'],
  ['an empty file', 'empty', 'rsa.key', 'certFile'],
  ['a broken second certificate', 'broken.pem', 'rsa.key', 'certFile'],
  ['an encrypted key', 'rsa.pem', 'encrypted.key', 'keyFile'],
  ['a key encrypted the old way', 'rsa.pem', 'traditional.key', 'keyFile'],
  ['the key of another certificate', 'rsa.pem', 'other.key', 'keyFile'],
  ['a key of another kind', 'rsa.pem', 'p256.key', 'keyFile'],
  ['the chain in the wrong order', 'reversed.pem', 'leaf.key', 'keyFile'],
];

/** Whether the server starts with a pair, and speaks TLS. */
async function serves(cert: string, key: string): Promise<boolean> {
  try {
    const app = createApp({ certFile: path(cert), keyFile: path(key) });
    const { port, close } = listen(app, { host: '127.0.0.1', port: 0, isShared: false });
    const isSpeaking = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => resolve(true));
      socket.on('error', () => resolve(false)).on('secureConnect', () => socket.destroy());
    });
    close();
    app.close();
    return isSpeaking;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}

describeWith(['openssl'], 'a certificate and its key', () => {
  beforeAll(() => {
    for (const name of ['rsa', 'other']) make(name, '-newkey', 'rsa:2048');
    make('short', '-newkey', 'rsa:1024');
    make('rsapss', '-newkey', 'rsa-pss', '-pkeyopt', 'rsa_keygen_bits:2048');
    for (const [name, of] of [
      ['p256', 'P-256'],
      ['p384', 'P-384'],
      ['p521', 'P-521'],
      ['secp256k1', 'secp256k1'],
      ['secp224r1', 'secp224r1'],
      ['brainpool', 'brainpoolP256r1'],
    ] as const)
      make(name, ...curve(of));
    make('explicit', ...curve('P-256', '-pkeyopt', 'ec_param_enc:explicit'));
    for (const kind of ['ed25519', 'ed448']) make(kind, '-newkey', kind);
    openssl('x509', '-in', 'rsa.pem', '-outform', 'der', '-out', 'rsa.der');
    openssl('pkey', '-in', 'rsa.key', '-outform', 'der', '-out', 'rsa.key.der');
    openssl('rsa', '-in', 'rsa.key', '-traditional', '-out', 'pkcs1.key');
    openssl('pkcs8', '-topk8', '-in', 'rsa.key', '-passout', 'pass:x', '-out', 'encrypted.key');
    openssl('rsa', '-in', 'rsa.key', '-aes128', '-passout', 'pass:x', '-traditional', '-out', 'traditional.key');
    openssl('ecparam', '-name', 'prime256v1', '-out', 'ec.parameters');
    write('parameters.key', read('ec.parameters'), read('p256.key'));
    for (const name of ['rsa.pem', 'rsa.key']) {
      const text = read(name).toString();
      write(name.replace('rsa', 'crlf'), text.replaceAll('\n', '\r\n'));
      write(name.replace('rsa', 'bom'), '\ufeff', text);
    }
    write('utf16.pem', Buffer.from(`\ufeff${read('rsa.pem')}`, 'utf16le'));
    write('both.pem', read('rsa.pem'), read('rsa.key'));
    write('broken.pem', read('rsa.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    write('empty', '');
    openssl(
      'req',
      '-new',
      '-nodes',
      '-newkey',
      'rsa:2048',
      '-subj',
      '/CN=leaf',
      '-keyout',
      'leaf.key',
      '-out',
      'leaf.csr',
    );
    write('leaf.ext', 'subjectAltName=DNS:localhost');
    const issue = ['x509', '-req', '-in', 'leaf.csr', '-CA', 'rsa.pem', '-CAkey', 'rsa.key', '-CAcreateserial'];
    openssl(...issue, '-days', '20', '-extfile', 'leaf.ext', '-out', 'leaf.pem');
    openssl(...issue, '-days', '20', '-out', 'nameless.pem');
    write('chain.pem', read('leaf.pem'), read('rsa.pem'));
    write('reversed.pem', read('rsa.pem'), read('leaf.pem'));
    write('gap.pem', read('leaf.pem'), read('other.pem'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(PAIRS)(
    'are taken or refused as the server does, with the setting at fault: %s',
    async (_, cert, key, fault) => {
      const loading = loadTls({ certFile: cert, keyFile: key }, folder);
      if (fault === undefined) await loading;
      else
        await expect(loading).rejects.toMatchObject({
          problems: expect.arrayContaining([{ path: `listen.tls.${fault}`, message: expect.stringMatching(/^[a-z]/) }]),
        });
      expect(await serves(cert, key)).toBe(fault === undefined);
    },
  );

  const warned = (cert: string, key: string, inDays = 0): string =>
    inspectPair(read(cert), read(key), Date.now() + inDays * DAY_MS)
      .warnings.map(({ message }) => message)
      .join('\n');

  it.each<[string, string, string, number, RegExp]>([
    ['that has expired', 'rsa.pem', 'rsa.key', 31, /^has expired \(/],
    ['that is not valid yet', 'rsa.pem', 'rsa.key', -2, /^is not valid yet \(/],
    ['whose issuer has expired', 'chain.pem', 'leaf.key', 31, /^certificate 2 has expired \(/m],
    ['without that of its issuer', 'leaf.pem', 'leaf.key', 0, /^comes without the certificate of its issuer/],
    ['ahead of one that did not issue it', 'gap.pem', 'leaf.key', 0, /^certificate 2 did not issue certificate 1/],
    ['that names no host', 'nameless.pem', 'leaf.key', 0, /names no host/],
    ['of a short key', 'short.pem', 'short.key', 0, /too short/],
    ['of a kind that browsers do not take', 'ed25519.pem', 'ed25519.key', 0, /browsers/],
  ])('%s is warned of', (_, cert, key, inDays, warning) => {
    expect(warned(cert, key, inDays)).toMatch(warning);
  });

  it.each([
    ['rsa.pem', 'rsa.key'],
    ['p256.pem', 'p256.key'],
    ['chain.pem', 'leaf.key'],
  ])('that are as they should be are not warned of: %s', (cert, key) => {
    expect(warned(cert, key)).toBe('');
  });
});

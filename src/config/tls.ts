import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '../errors.ts';

/** The files of a certificate chain and its key. uWebSockets.js wants file names. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Files that were read and belong together; the fingerprint (SHA-256 over both) tells whether they changed since. */
export interface LoadedTls extends TlsFiles {
  readonly fingerprint: string;
}

/** Reads both files and checks that they are a pair. Throws a ConfigError that names the file at fault. */
export async function loadTls(named: TlsFiles | undefined, folder: string): Promise<LoadedTls | undefined> {
  if (named === undefined) return undefined;
  const files = { certFile: resolve(folder, named.certFile), keyFile: resolve(folder, named.keyFile) };
  const cert = await readPem(files.certFile, 'listen.tls.certFile');
  const key = await readPem(files.keyFile, 'listen.tls.keyFile');
  check('listen.tls.certFile', () => createSecureContext({ cert }));
  check('listen.tls.keyFile', () => createSecureContext({ cert, key }));
  return { ...files, fingerprint: createHash('sha256').update(cert).update(key).digest('hex') };
}

async function readPem(file: string, path: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError([{ path, message: `is ${JSON.stringify(file)}, which cannot be read (${code})` }], {
      cause: error,
    });
  }
}

function check(path: string, use: () => void): void {
  try {
    use();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new ConfigError(
      [{ path, message: `is not usable PEM, or certificate and key do not belong together (${code})` }],
      { cause: error },
    );
  }
}

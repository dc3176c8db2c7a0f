import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { ConfigError, type Problem } from '../errors.ts';

/** The files of a certificate chain and its key. uWebSockets.js wants file names. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Files that were read and belong together; the fingerprint (SHA-256 over both) tells whether they changed since. */
export interface LoadedTls extends TlsFiles {
  readonly fingerprint: string;
}

/** Reads both files and checks that they are a pair. Throws one ConfigError that names each file at fault. */
export async function loadTls(named: TlsFiles, folder: string): Promise<LoadedTls> {
  const problems: Problem[] = [];
  const files = { certFile: resolve(folder, named.certFile), keyFile: resolve(folder, named.keyFile) };
  const cert = await readPem(files.certFile, 'listen.tls.certFile', problems);
  const key = await readPem(files.keyFile, 'listen.tls.keyFile', problems);
  const isCert = cert !== undefined && isUsable('listen.tls.certFile', { cert }, problems);
  if (isCert && key !== undefined) isUsable('listen.tls.keyFile', { cert, key }, problems);
  if (problems.length > 0 || cert === undefined || key === undefined) throw new ConfigError(problems);
  return { ...files, fingerprint: createHash('sha256').update(cert).update(key).digest('hex') };
}

async function readPem(file: string, path: string, problems: Problem[]): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    problems.push({ path, message: `is ${JSON.stringify(file)}, which cannot be read (${code})` });
    return undefined;
  }
}

function isUsable(path: string, pair: { readonly cert: Buffer; readonly key?: Buffer }, problems: Problem[]): boolean {
  try {
    createSecureContext(pair);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    problems.push({ path, message: `is not usable PEM, or certificate and key do not belong together (${code})` });
    return false;
  }
}

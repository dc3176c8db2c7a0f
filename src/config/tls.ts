import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError, type Problem } from '../errors.ts';
import { inspectPair } from './certificates.ts';

/** The files of a certificate chain and its key. uWebSockets.js wants file names. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Files that were read and belong together; the fingerprint (SHA-256 over both) tells whether they changed since. */
export interface LoadedTls extends TlsFiles {
  readonly fingerprint: string;
  /** What clients may stumble over. */
  readonly warnings: readonly Problem[];
}

/** Reads both files and checks that the server can use them. Throws one ConfigError that names each file at fault. */
export async function loadTls(named: TlsFiles, folder: string): Promise<LoadedTls> {
  const unread: Problem[] = [];
  const files = { certFile: resolve(folder, named.certFile), keyFile: resolve(folder, named.keyFile) };
  const cert = await readPem(files.certFile, 'listen.tls.certFile', unread);
  const key = await readPem(files.keyFile, 'listen.tls.keyFile', unread);
  if (cert === undefined || key === undefined) throw new ConfigError(unread);
  const { problems, warnings } = inspectPair(cert, key, Date.now());
  if (problems.length > 0) throw new ConfigError(problems);
  const fingerprint = createHash('sha256').update(cert).update(key).digest('hex');
  return { ...files, fingerprint, warnings };
}

async function readPem(file: string, path: string, unread: Problem[]): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    unread.push({ path, message: `is ${JSON.stringify(file)}, which cannot be read (${code})` });
    return undefined;
  }
}

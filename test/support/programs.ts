import { execFileSync, spawnSync } from 'node:child_process';
import { describe } from 'vitest';

/**
 * A `describe` for tests that need other programs. Without one of them the tests are skipped, with a line that says so; with CI=true
 * that is a failure. A program is a name on the PATH, or a command that must exit 0.
 */
export function describeWith(programs: readonly (string | readonly string[])[], name: string, tests: () => void): void {
  const missing = programs.filter((program) => !isThere(program));
  if (missing.length === 0) {
    describe(name, tests);
    return;
  }
  if (process.env.CI === 'true') throw new Error(`CI needs: ${missing.join(', ')}`);
  process.stderr.write(`skipped "${name}": needs ${missing.map(String).join(', ')}\n`);
  describe.skip(name, tests);
}

function isThere(program: string | readonly string[]): boolean {
  const [command = '', ...args] = typeof program === 'string' ? ['which', program] : program;
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** A fresh self-signed certificate for loopback in `folder`, made by openssl. */
export function makeCertificate(folder: string, name: string): { certFile: string; keyFile: string } {
  const files = { certFile: `${folder}/${name}.pem`, keyFile: `${folder}/${name}-key.pem` };
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...curve, '-nodes', '-days', '2', '-keyout', files.keyFile, '-out', files.certFile, ...subject],
    {
      stdio: 'ignore',
    },
  );
  return files;
}

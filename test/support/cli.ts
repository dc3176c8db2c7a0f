import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The program itself. */
export const MAYFLY = fileURLToPath(new URL('../../bin/mayfly', import.meta.url));

/** How a finished program ended and what it printed. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program under test: what it printed so far, and waits for more. */
export class Program {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  stdout = '';
  stderr = '';
  #onOutput = new Set<() => void>();

  constructor(command: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    const gather = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      this[stream] += chunk.toString();
      for (const wake of [...this.#onOutput]) wake();
    };
    this.child.stdout?.on('data', gather('stdout'));
    this.child.stderr?.on('data', gather('stderr'));
    this.finished = once(this.child, 'close').then(([code]) => {
      for (const wake of [...this.#onOutput]) wake();
      return { code: code as number | null, stdout: this.stdout, stderr: this.stderr };
    });
  }

  /** Waits until the output matches, 20 seconds at most; fails at once when the program ends first. */
  async output(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    const deadline = AbortSignal.timeout(20_000);
    for (;;) {
      const match = pattern.exec(this[stream]);
      if (match !== null) return match;
      if (this.child.exitCode !== null || deadline.aborted) {
        throw new Error(`waited for ${pattern}; stdout: ${this.stdout}; stderr: ${this.stderr}`);
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#onOutput.delete(wake);
          deadline.removeEventListener('abort', wake);
          resolve();
        };
        this.#onOutput.add(wake);
        deadline.addEventListener('abort', wake);
      });
    }
  }

  /** Ends the program with a signal and waits for its end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal);
    return this.finished;
  }
}

/** Starts `mayfly` with these arguments. */
export function mayfly(args: readonly string[], env?: Readonly<Record<string, string>>): Program {
  return new Program(MAYFLY, args, env);
}

/** Runs `mayfly` to its end. */
export async function runMayfly(
  args: readonly string[],
  input = '',
  env?: Readonly<Record<string, string>>,
): Promise<Finished> {
  const program = mayfly(args, env);
  program.child.stdin?.end(input);
  return program.finished;
}

/** A folder with a key pair and a configuration for tenant `acme`, made by the command line itself. */
export interface Workplace {
  readonly folder: string;
  readonly configFile: string;
  /** Mints with the command line. */
  token(...args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Makes a workplace; `settings` are laid over a configuration with free ports. */
export async function makeWorkplace(
  settings: (folder: string) => Readonly<Record<string, unknown>> = () => ({}),
): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
  const keyFile = join(folder, 'app.jwk');
  const configFile = join(folder, 'mayfly.json');
  const pair = (await runMayfly(['keygen'])).stdout;
  await writeFile(keyFile, pair);
  const jwk = (JSON.parse(pair) as { public: object }).public;
  const keys = [{ kid: 'app-2026', jwk, grants: { '>': 'rwp' } }];
  await writeFile(
    configFile,
    JSON.stringify({ listen: { port: 0 }, admin: { port: 0 }, tenants: { acme: { keys } }, ...settings(folder) }),
  );
  const base = ['token', 'mint', '--key', keyFile, '--tenant', 'acme', '--kid', 'app-2026'];
  return {
    folder,
    configFile,
    token: async (...args) => (await runMayfly([...base, ...args])).stdout.trim(),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Starts `mayfly serve` on a workplace and waits until it listens. */
export async function serve(
  workplace: Workplace,
  wrapper: readonly string[] = [],
): Promise<{ program: Program; url: string; admin: string }> {
  const [command = MAYFLY, ...args] = [...wrapper, MAYFLY, 'serve', '--config', workplace.configFile];
  const program = new Program(command, args);
  const [line] = await program.output(/^\{"event":"listening".*$/m);
  const { url, admin } = JSON.parse(line) as { url: string; admin: string };
  return { program, url, admin };
}

import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { UsageError } from './options.ts';

const EXIT_VIOLATION = 1;
const EXIT_USAGE = 2;

/** Runs a bench: a wrong command line exits with 2, whatever else it throws is a failed check and exits with 1. */
export async function runBench(bench: (args: readonly string[]) => Promise<void>): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(EXIT_VIOLATION));
  try {
    await bench(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`FAILED: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_VIOLATION;
  }
}

/** Writes results as JSON with what they were measured on; does nothing without a file. */
export async function writeResults(file: string | undefined, results: object): Promise<void> {
  if (file === undefined) return;
  const [cpu] = cpus();
  const host = {
    node: process.version,
    platform: process.platform,
    cpu: cpu?.model ?? 'unknown',
    cores: cpus().length,
  };
  await writeFile(file, `${JSON.stringify({ host, ...results }, null, 2)}\n`);
}

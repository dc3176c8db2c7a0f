import { standardError } from '../telemetry/lossy-stream.ts';

/** Prints on standard output, for commands whose result it is: when it cannot be written, the exit code is 1 and standard error says why. */
export function print(text: string): void {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', failed);
  process.stdout.write(text);
}

function failed(error: NodeJS.ErrnoException): void {
  process.exitCode = 1;
  complain(`standard output cannot be written: ${error.code}`);
}

/** Says a line on standard error. When nobody can read it there, the exit code says enough. */
export function complain(line: string): void {
  standardError.write(`${line}\n`);
}

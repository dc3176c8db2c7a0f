import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const START_TIMEOUT_MS = 15_000;
const STOP_TIMEOUT_MS = 3000;
const KEPT_STDERR_CHARACTERS = 4000;

/** A relay that runs in a process of its own. */
export interface RelayProcess {
  /** Such as ws://127.0.0.1:4321. */
  readonly url: string;
  readonly pid: number;
  /** Ends the process; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts node with these arguments and waits for the line that says it listens. Throws with the end of its stderr if it does not come. */
export async function startRelay(args: readonly string[]): Promise<RelayProcess> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-KEPT_STDERR_CHARACTERS);
  });
  try {
    const url = await listening(child);
    if (child.pid === undefined) throw new Error('it has no process id');
    return { url, pid: child.pid, stop: () => stop(child) };
  } catch (error) {
    kill();
    throw new Error(`the relay did not start: node ${args.join(' ')}\n${stderr}`, { cause: error });
  }
}

function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('it said nothing in time')), START_TIMEOUT_MS);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`it ended with ${code}`)));
    if (child.stdout === null) throw new Error('it has no stdout');
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = urlIn(line);
      if (url === undefined) return;
      clearTimeout(timer);
      resolve(url);
    });
  });
}

function urlIn(line: string): string | undefined {
  if (!line.startsWith('{')) return undefined;
  const { event, url } = JSON.parse(line) as { readonly event?: unknown; readonly url?: unknown }; // each is checked below
  return event === 'listening' && typeof url === 'string' ? url : undefined;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(timer);
}

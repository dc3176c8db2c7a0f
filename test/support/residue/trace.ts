import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeWorkplace, Program, type Workplace } from '../cli.ts';
import { makeCertificate } from '../programs.ts';
import { Course } from './course.ts';

const file = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));
/** Makes glibc overwrite what is given back to it, also what it would keep at hand for its thread. */
const OVERWRITE_FREED = { GLIBC_TUNABLES: 'glibc.malloc.perturb=165:glibc.malloc.tcache_count=0' };
/** Undoes every overwriting with zeros: what a buffer would look like that was forgotten, and that nothing else has taken yet. */
const NO_OVERWRITING = `const { fill } = Uint8Array.prototype;
const forgotten = [];
const kept = function (value, ...range) { return value === 0 ? (forgotten.push(this), this) : fill.call(this, value, ...range); };
Uint8Array.prototype.fill = Buffer.prototype.fill = kept;`;
const LIMITS = { slowConsumerTimeoutMs: 1000, bytesPerSecond: 1e9, drainDelayMs: 10_000, drainTimeoutMs: 0 };

/** What runs: over TLS or not, whether glibc overwrites what is freed, and whether the relay overwrites anything (the control does not). */
export interface Trial {
  readonly isTls: boolean;
  readonly overwritesFreed: boolean;
  readonly isControl?: boolean;
}

/** A path, how many canaries went it, and how many were found at once (where nobody stands still), and after other traffic. */
export interface Trace {
  readonly path: string;
  readonly sent: number;
  readonly atOnce: number | null;
  readonly afterwards: number;
}

/** Tokens are JavaScript strings on their way, which nobody can overwrite: one copy of each is left until the engine needs the room. */
export const isString = (path: string): boolean => path.startsWith('token');
const STALLED = /^backlog/;

/** Sends canaries on every path through a relay process of its own, and counts what is left of them in its memory. */
export async function trace({ isTls, overwritesFreed, isControl = false }: Trial): Promise<Trace[]> {
  const workplace = await makeWorkplace((folder) => settings(folder, isTls));
  const program = start(workplace, overwritesFreed, isControl);
  try {
    const [line] = await program.output(/^\{"event":"listening".*$/m);
    const { url, admin } = JSON.parse(line) as { url: string; admin: string };
    const course = await Course.start({ program, url, admin, workplace });
    await course.pass();
    const atOnce = course.count();
    course.leave();
    const afterwards = await countAfterOthers(course, 2); // more would make the engine look for garbage, and hide it
    if (!isControl) await course.stall();
    const inTheEnd = isControl ? afterwards : await countAfterOthers(course, 5);
    return [...course.sent].map(([path, sent]) => ({
      path,
      sent,
      atOnce: STALLED.test(path) ? null : (atOnce.get(path) ?? 0),
      afterwards: Math.max(afterwards.get(path) ?? 0, inTheEnd.get(path) ?? 0),
    }));
  } finally {
    await program.stop('SIGKILL');
    await workplace.remove();
  }
}

/** What is left after other traffic, some times: how deep it fills the shared buffers depends on how much is read at once. */
async function countAfterOthers(course: Course, times: number): Promise<Map<string, number>> {
  let left = new Map<string, number>();
  for (let i = 0; i < times; i++) {
    await course.passOtherTraffic();
    left = course.count();
    if ([...left.keys()].every(isString)) break;
  }
  return left;
}

function start(workplace: Workplace, overwritesFreed: boolean, isControl: boolean): Program {
  const env: Record<string, string> = overwritesFreed ? OVERWRITE_FREED : {};
  const serve = ['serve', '--config', workplace.configFile];
  if (!isControl) return new Program(file('bin/mayfly'), serve, env);
  const preload = `data:text/javascript,${encodeURIComponent(NO_OVERWRITING)}`;
  return new Program(process.execPath, ['--import', preload, file('dist/cli/main.js'), ...serve], env);
}

function settings(folder: string, isTls: boolean): Record<string, unknown> {
  const { public: jwk } = JSON.parse(readFileSync(join(folder, 'app.jwk'), 'utf8')) as { public: object };
  const keys = [{ kid: 'app-2026', jwk, grants: { '>': 'rwp' }, ops: ['revoke'] }];
  const tls = isTls ? { tls: makeCertificate(folder, 'cert') } : {};
  return { limits: LIMITS, listen: { port: 0, ...tls }, tenants: { acme: { keys } } };
}

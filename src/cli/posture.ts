import { readFileSync } from 'node:fs';
import { url as inspectorUrl } from 'node:inspector';
import type { Logger } from '../telemetry/logger.ts';

/** What this process could leave behind, as it is and not as it was asked for. Undefined: the system does not tell. */
interface Posture {
  readonly mayWriteFiles: boolean;
  readonly mayStartProcesses: boolean;
  readonly mayBeInspected: boolean;
  readonly mayDumpCore: boolean | undefined;
  readonly maySwap: boolean | undefined;
}

/** Logs the posture in one line: a warning when anything is open that `bin/mayfly` or the machine should have closed. */
export function logPosture(logger: Logger): void {
  const posture: Posture = {
    mayWriteFiles: isPermitted('fs.write'),
    mayStartProcesses: isPermitted('child') || isPermitted('worker'),
    mayBeInspected: inspectorUrl() !== undefined || !('permission' in process), // without permissions, SIGUSR1 opens it
    mayDumpCore: mayDumpCore(),
    maySwap: maySwap(),
  };
  const isOpen = Object.values(posture).includes(true);
  logger[isOpen ? 'warn' : 'info']({ posture }, isOpen ? 'the posture is weak' : 'the posture is good');
}

function isPermitted(scope: string): boolean {
  return !('permission' in process) || process.permission.has(scope);
}

/** A core that is piped to a program knows no limit, but holds no memory when the filter is 0. */
function mayDumpCore(): boolean | undefined {
  const limit = /^Max core file size +(\w+)/m.exec(textOf('/proc/self/limits') ?? '')?.[1];
  if (limit === undefined) return undefined;
  const isPiped = textOf('/proc/sys/kernel/core_pattern')?.startsWith('|') === true;
  return (limit !== '0' || isPiped) && Number.parseInt(textOf('/proc/self/coredump_filter') ?? 'ff', 16) !== 0;
}

/** Whether the machine has swap that the process's control group may use. */
function maySwap(): boolean | undefined {
  const swaps = textOf('/proc/swaps')?.trim().split('\n'); // a heading, then one a line
  if (swaps === undefined) return undefined;
  if (swaps.length === 1) return false;
  const group = /^0::(.*)$/m.exec(textOf('/proc/self/cgroup') ?? '')?.[1];
  return textOf(`/sys/fs/cgroup${group}/memory.swap.max`)?.trim() !== '0';
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not Linux, or a sandbox without it
  }
}

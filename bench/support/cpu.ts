import { readFileSync } from 'node:fs';

/** Linux counts process time in USER_HZ, which is 100 on every architecture Node runs on. */
const TICK_US = 10_000;

/** User and system time a process has used, in µs, in steps of 10,000; null where there is no /proc. */
export function cpuUs(pid: number): number | null {
  if (process.platform !== 'linux') return null;
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name before it may hold spaces
  return (Number(fields[11]) + Number(fields[12])) * TICK_US; // proc(5): utime and stime, counted from state
}

/** The difference of two readings over `count`, in µs; null if either is missing. */
export function cpuUsEach(before: number | null, after: number | null, count: number): number | null {
  return before === null || after === null || count === 0 ? null : (after - before) / count;
}

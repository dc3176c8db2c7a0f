import { readdirSync, readFileSync, statSync } from 'node:fs';

const OPEN_FILES = /^Max open files +(\d+|unlimited)/m;

/** How many descriptors this process may have (RLIMIT_NOFILE); infinity where the system does not say, as on macOS. */
export function descriptorLimit(): number {
  try {
    const [, limit = ''] = OPEN_FILES.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return /^\d+$/.test(limit) ? Number(limit) : Number.POSITIVE_INFINITY;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** How many descriptors this process has at the moment, in one system call and without taking one. Null before Linux 6.2. */
export function descriptorsInUse(): number | null {
  try {
    const { size } = statSync('/proc/self/fd');
    return size > 0 ? size : null;
  } catch {
    return null;
  }
}

/** The same, for a start: by counting where that is the only way. */
export function countDescriptors(): number {
  try {
    return descriptorsInUse() ?? readdirSync('/proc/self/fd').length;
  } catch {
    return 0;
  }
}

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 8 * 1024 * 1024;

interface Region {
  readonly start: number;
  readonly end: number;
}

/** The writable regions of a process's memory. */
function writableRegions(pid: number): Region[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) .w/.exec(line) ?? [];
    return start === undefined || end === undefined
      ? []
      : [{ start: Number.parseInt(start, 16), end: Number.parseInt(end, 16) }];
  });
}

/**
 * Finds every place in a process's writable memory where `needle` begins, and counts them by the `tagBytes` behind it. The process is
 * stopped meanwhile.
 */
export function countTags(pid: number, needle: Buffer, tagBytes: number): Map<string, number> {
  const counts = new Map<string, number>();
  const buffer = Buffer.alloc(CHUNK_BYTES);
  const overlap = needle.length + tagBytes - 1;
  process.kill(pid, 'SIGSTOP');
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { start, end } of writableRegions(pid)) {
      for (let at = start; at < end; at += CHUNK_BYTES - overlap) {
        const chunk = buffer.subarray(0, readAt(memory, buffer, at, Math.min(CHUNK_BYTES, end - at)));
        const last = chunk.length - overlap;
        for (let i = chunk.indexOf(needle); i >= 0 && i < last; i = chunk.indexOf(needle, i + 1)) {
          const tag = chunk.toString('latin1', i + needle.length, i + needle.length + tagBytes);
          counts.set(tag, (counts.get(tag) ?? 0) + 1);
        }
      }
    }
  } finally {
    closeSync(memory);
    process.kill(pid, 'SIGCONT');
  }
  return counts;
}

/** Bytes read; none where there is no memory behind an address. */
function readAt(memory: number, buffer: Buffer, at: number, size: number): number {
  try {
    return readSync(memory, buffer, 0, size, at);
  } catch {
    return 0;
  }
}

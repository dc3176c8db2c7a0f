import type { Backlogs } from './backlogs.ts';
import type { Peer } from './peer.ts';

/** What the guard of the memory needs. Sizes in bytes. */
export interface MemoryPorts {
  readonly backlogs: Backlogs;
  readonly cut: (peer: Peer) => void;
  readonly limits: { readonly maxMemoryBytes: number; readonly maxBacklogBytes: number };
  /** Resident memory of the process. */
  readonly residentBytes: () => number;
  /** How much of it the engine uses; the rest is free for use, though the system does not have it back. */
  readonly usedBytes: () => number;
}

/** While more than this part of `maxMemoryBytes` waits for connections to read, ending those helps. */
const WORTHWHILE = 1 / 16;
/** Connections ended at one look: closing one takes some 50 µs. */
const CUTS_AT_ONCE = 100;

/** Keeps the relay within its memory: first those who cause what waits are cut, and only if that cannot help, newcomers are refused. */
export class Memory {
  /** Whether newcomers are refused. */
  isFull = false;
  readonly #ports: MemoryPorts;

  constructor(ports: MemoryPorts) {
    this.#ports = ports;
  }

  /** Looks at the memory, several times a second. */
  review(): void {
    const { backlogs, cut, limits, residentBytes, usedBytes } = this.#ports;
    const isOver = residentBytes() > limits.maxMemoryBytes;
    const worthwhile = limits.maxMemoryBytes * WORTHWHILE;
    const mayWait = isOver && backlogs.totalBytes > worthwhile ? backlogs.totalBytes / 2 : limits.maxBacklogBytes;
    for (const peer of backlogs.excess(mayWait).slice(0, CUTS_AT_ONCE)) cut(peer);
    const isInUse = (): boolean => usedBytes() + backlogs.totalBytes > limits.maxMemoryBytes / 2;
    this.isFull = isOver && backlogs.totalBytes <= worthwhile && isInUse();
  }
}

/** The bytes that the engine's heap and what hangs on it use. */
export function engineBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

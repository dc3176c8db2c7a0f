import type { HostileSocket } from './hostile-socket.ts';

const DIALS_AT_ONCE = 20;
const PAUSE_MS = 5;
const SETTLE_MS = 2000;

/** Keeps up to `count` connections open, opening another for each that ends. Calls `ready` when there are that many, or no more to be had. */
export async function keepOpen(count: number, open: () => Promise<HostileSocket>, ready: () => void): Promise<void> {
  setTimeout(ready, SETTLE_MS);
  const worker = async (): Promise<void> => {
    const mine = new Set<HostileSocket>();
    for (;;) {
      if (mine.size >= count / DIALS_AT_ONCE) {
        await pause();
        continue;
      }
      const socket = await open();
      mine.add(socket);
      void socket.closed.then(() => mine.delete(socket));
      await pause();
    }
  };
  await Promise.all(Array.from({ length: DIALS_AT_ONCE }, worker));
}

/** As many copies of some bytes as fit. */
export function repeated(bytes: Uint8Array, maxBytes: number): Buffer {
  return Buffer.concat(Array.from({ length: Math.floor(maxBytes / bytes.length) }, () => bytes));
}

/** A moment for everything else in this process. */
export function pause(ms = PAUSE_MS): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

const POOL_SIZE = 256;
const pool = new Uint32Array(POOL_SIZE);
let used = POOL_SIZE;

/** A random id from 1 to 2^31-1 that `isTaken` does not know. 31 bits keep ids small integers in the engine. */
export function randomId(isTaken: (id: number) => boolean): number {
  for (;;) {
    if (used === POOL_SIZE) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    const id = (pool[used++] as number) >>> 1; // used < POOL_SIZE
    if (id !== 0 && !isTaken(id)) return id;
  }
}

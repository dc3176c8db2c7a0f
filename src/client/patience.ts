/** How long something is waited for. */
export interface Patience {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Settles as `work` does, unless the time is over or the signal says so first: then rejects with what `late` makes. */
export function within<T>(work: Promise<T>, { timeoutMs, signal }: Patience, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      done();
      reject(late());
    };
    const timer = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    work.finally(done).then(resolve, reject);
    if (signal?.aborted === true) giveUp();
  });
}

/** Waits, until the signal says that it is no use any more. */
export function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}

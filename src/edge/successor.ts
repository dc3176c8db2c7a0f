import { connect } from 'node:net';

const RETRY_MS = 50;

/** Resolves when somebody accepts connections at an address of this machine, or when the time is over. */
export async function successorAt(
  address: { readonly host: string; readonly port: number },
  withinMs: number,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!(await accepts(address))) {
    if (performance.now() + RETRY_MS > endMs) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function accepts({ host, port }: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: RETRY_MS * 10 });
    const done = (isAccepted: boolean): void => {
      socket.destroy();
      resolve(isAccepted);
    };
    socket
      .once('connect', () => done(true))
      .once('error', () => done(false))
      .once('timeout', () => done(false));
  });
}

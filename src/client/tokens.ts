import { abortError, MayflyError } from './errors.ts';
import { within } from './patience.ts';

/** A token, or how to get one: asked at each connection and for each renewal. */
export type TokenSource = string | (() => string | Promise<string>);

/**
 * The token to use now. Rejects with a MayflyError: `token_failed`, whose `cause` is what the function threw, or without a cause when the
 * time is over; `aborted` by the signal.
 */
export async function readToken(source: TokenSource, timeoutMs: number, signal: AbortSignal): Promise<string> {
  if (typeof source === 'string') return source;
  const asked = new Promise<string>((resolve) => resolve(source())).catch((cause: unknown) => {
    throw new MayflyError('token_failed', 'the token function failed', { cause });
  });
  return within(asked, { timeoutMs, signal }, () =>
    signal.aborted ? abortError(signal) : new MayflyError('token_failed', `no token within ${timeoutMs} ms`),
  );
}

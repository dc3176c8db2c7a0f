import { MayflyError } from './errors.ts';

/** A token, or how to get one: asked at each connection and for each renewal. */
export type TokenSource = string | (() => string | Promise<string>);

/** The token to use now. Rejects with a MayflyError `token_failed` whose `cause` is what the function threw. */
export async function readToken(source: TokenSource): Promise<string> {
  if (typeof source === 'string') return source;
  try {
    return await source();
  } catch (error) {
    throw new MayflyError('token_failed', 'the token function failed', { cause: error });
  }
}

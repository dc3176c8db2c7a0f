import { RelayError } from '../errors.ts';

/** The token of an option or argument, else of MAYFLY_TOKEN, which keeps it out of the process list. Throws a RelayError without one. */
export function tokenOption(given: string | undefined): string {
  const token = given ?? process.env.MAYFLY_TOKEN;
  if (token === undefined || token === '') throw new RelayError('token_unusable', 'give a token, or set MAYFLY_TOKEN');
  return token;
}

import { nowMs } from './clock.ts';
import { abortError, type FailureCode, MayflyError } from './errors.ts';
import { shown } from './options.ts';
import { within } from './patience.ts';

/** What a token function is told of why it is asked. */
export interface TokenRequest {
  /**
   * `connect` at first, `reconnect` when the connection broke, `expiring` ahead of expiry, `refused` when the relay did not take the token
   * before, or takes it no more; `renew` when the app called `relay.renew()`.
   */
  readonly reason: 'connect' | 'reconnect' | 'expiring' | 'refused' | 'renew';
  /** The code of what ended the connection or refused the token, such as `token_revoked`. */
  readonly code?: FailureCode;
  /** Aborted when the answer is of no use any more. */
  readonly signal: AbortSignal;
}

/**
 * A token, or how to get one: asked at each connection and for each renewal, one call at a time. A function that throws is asked again
 * later, unless the error's `code` is `token_denied`: then there will be no token, and the connection ends for good.
 */
export type TokenSource = string | ((request: TokenRequest) => string | Promise<string>);

/** Why a token is asked for. */
export type TokenReason = Omit<TokenRequest, 'signal'>;

/** How long a token function may take. Its user may have to sign in. */
const PATIENCE_MS = 60_000;
/** How long an answer is good for that came when nobody waited for it. */
const KEPT_MS = 10_000;
const NO_TOKEN = 'a text with what no token has (HTML, JSON, spaces?)';
/** What a bearer token consists of: RFC 6750, section 2.1. */
const TOKEN = /^[\w.~+/-]+=*$/;

/** Gets tokens from where they come from. */
export class Tokens {
  readonly #source: TokenSource;
  readonly #ending: AbortSignal;
  /** A call under way, or an answer that nobody has used yet. */
  #asking: Promise<string> | undefined;
  #answeredAtMs = Number.POSITIVE_INFINITY;

  /** After `ending` no token is of use. */
  constructor(source: TokenSource, ending: AbortSignal) {
    this.#source = source;
    this.#ending = ending;
  }

  /** Whether there may be another token than the one before. */
  get areMany(): boolean {
    return typeof this.#source === 'function';
  }

  /**
   * The token to use now; joins a call that is under way, or takes an answer that came when nobody waited any more. Rejects with a
   * MayflyError: `token_failed` or `token_denied`, whose `cause` is what the function threw; `aborted` by the signal.
   */
  async read(reason: TokenReason, signal: AbortSignal): Promise<string> {
    if (typeof this.#source === 'string') return this.#source;
    const isOld = nowMs() - this.#answeredAtMs > (reason.reason === 'renew' ? 0 : KEPT_MS);
    if (isOld) this.#asking = undefined;
    this.#asking ??= this.#ask(this.#source, reason);
    const asking = this.#asking;
    const token = await within(asking, { signal }, () => abortError(signal));
    if (this.#asking === asking) this.#asking = undefined;
    return token;
  }

  async #ask(source: Exclude<TokenSource, string>, reason: TokenReason): Promise<string> {
    const stop = new AbortController();
    this.#answeredAtMs = Number.POSITIVE_INFINITY;
    const answer = new Promise((resolve) => resolve(source({ ...reason, signal: stop.signal }))).then(tokenOf, thrown);
    try {
      const token = await within(answer, { timeoutMs: PATIENCE_MS, signal: this.#ending }, () =>
        this.#ending.aborted ? abortError(this.#ending) : failed(`no token within ${PATIENCE_MS} ms`),
      );
      this.#answeredAtMs = nowMs();
      return token;
    } catch (error) {
      this.#asking = undefined;
      stop.abort();
      throw error;
    }
  }
}

/** Whether a value can be a token. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value);
}

function tokenOf(answer: unknown): string {
  if (isToken(answer)) return answer;
  const isText = typeof answer === 'string' && answer !== '';
  throw failed(`expected the token function to return a token, got ${isText ? NO_TOKEN : shown(answer)}`);
}

function thrown(cause: unknown): never {
  const isDenied = (cause as { code?: unknown } | null | undefined)?.code === 'token_denied';
  throw isDenied
    ? new MayflyError('token_denied', 'the token function gives no more tokens', { cause })
    : failed('the token function failed', { cause });
}

function failed(message: string, options: ErrorOptions = {}): MayflyError {
  return new MayflyError('token_failed', message, options);
}

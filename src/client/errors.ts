import { CLOSE_CODE, type CloseName, type ErrorCode } from '../protocol/codes.ts';

/** What the SDK itself finds wrong; docs/CLIENT.md says what each means. */
export type ClientErrorCode =
  | 'not_connected'
  | 'detached'
  | 'closed'
  | 'aborted'
  | 'insecure_url'
  | 'unsupported_runtime'
  | 'key_required'
  | 'not_publishing'
  | 'token_failed'
  | 'token_denied'
  | 'buffer_full'
  | 'connection_failed';

/** Why an operation failed: the SDK's reasons, the relay's codes, the names of its close codes, and what later relays may say. */
export type FailureCode = ClientErrorCode | ErrorCode | CloseName | (string & {});

/** What the SDK throws. `code` is constant and for programs; `status` is the relay's, where it answered. */
export class MayflyError extends Error {
  readonly code: FailureCode;
  readonly status: number | undefined;
  /** The WebSocket close code, where the connection ended. */
  readonly closeCode: number | undefined;

  constructor(
    code: FailureCode,
    message: string,
    options: ErrorOptions & { readonly status?: number; readonly closeCode?: number } = {},
  ) {
    super(message, options);
    this.name = 'MayflyError';
    this.code = code;
    this.status = options.status;
    this.closeCode = options.closeCode;
  }
}

/** What a WebSocket says that broke without a close. */
export const NO_CLOSE_CODE = 1006;

/** The error that a closed connection stands for: the name of the relay's close code, or `connection_failed`, with its cause if known. */
export function closeError(closeCode: number, reason: string, cause?: unknown): MayflyError {
  const name = Object.entries(CLOSE_CODE).find(([, code]) => code === closeCode)?.[0];
  const message = reason || (cause instanceof Error ? cause.message : `the connection ended (${closeCode})`);
  return new MayflyError(name ?? 'connection_failed', message, {
    closeCode,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** There is no connection at the moment; the next may come. */
export function notConnected(): MayflyError {
  return new MayflyError('not_connected', 'there is no connection at the moment');
}

/** The relay was closed for good. */
export function relayClosed(): MayflyError {
  return new MayflyError('closed', 'the relay was closed');
}

/** An aborted operation; its `cause` is the signal's reason. */
export function abortError(signal: AbortSignal): MayflyError {
  return new MayflyError('aborted', 'the operation was aborted', { cause: signal.reason });
}

/** Whatever was thrown, as a MayflyError. */
export function asMayflyError(error: unknown): MayflyError {
  return error instanceof MayflyError
    ? error
    : new MayflyError('connection_failed', error instanceof Error ? error.message : 'the connection failed', {
        cause: error,
      });
}

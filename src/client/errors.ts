/** Why an operation of the SDK failed; a relay's own codes (docs/PROTOCOL.md, section 12) come through as they are. */
export type FailureCode =
  | 'not_connected'
  | 'closed'
  | 'aborted'
  | 'key_required'
  | 'token_failed'
  | 'buffer_full'
  | 'connection_failed'
  | (string & {});

/** What the SDK throws. `code` is constant and for programs; `status` is the relay's, where it answered. */
export class MayflyError extends Error {
  readonly code: FailureCode;
  readonly status: number | undefined;
  /** The WebSocket close code, where the connection ended. */
  readonly closeCode: number | undefined;

  constructor(
    code: FailureCode,
    message: string,
    options: ErrorOptions & { status?: number; closeCode?: number } = {},
  ) {
    super(message, options);
    this.name = 'MayflyError';
    this.code = code;
    this.status = options.status;
    this.closeCode = options.closeCode;
  }
}

/** Every error code of the protocol with its HTTP status. Source: docs/PROTOCOL.md, section 12. */
export const ERROR_STATUS = {
  protocol_error: 400,
  unsupported_version: 400,
  subprotocol_required: 400,
  token_in_url: 400,
  bad_channel: 400,
  bad_modes: 400,
  bad_envelope: 400,
  bad_body: 400,
  bad_request: 400,
  token_missing: 401,
  token_invalid: 403,
  token_expired: 403,
  token_not_yet_valid: 403,
  token_ttl_too_long: 403,
  token_claims_invalid: 403,
  token_revoked: 403,
  renew_mismatch: 403,
  forbidden: 403,
  not_attached: 404,
  not_found: 404,
  method_not_allowed: 405,
  already_attached: 409,
  renew_in_progress: 409,
  length_required: 411,
  frame_too_large: 413,
  unsupported_media_type: 415,
  upgrade_required: 426,
  too_fast: 429,
  tenant_too_fast: 429,
  too_many_attachments: 429,
  too_many_channels: 429,
  too_many_revocations: 429,
  too_many_connections: 429,
  too_many_user_connections: 429,
  internal_error: 500,
  overloaded: 503,
  draining: 503,
} as const;

/** A stable, machine-readable reason for a refusal. */
export type ErrorCode = keyof typeof ERROR_STATUS;

/** Every close code: 4000–4499 mean "come back", 4500–4999 "do not". Source: docs/PROTOCOL.md, section 13. */
export const CLOSE_CODE = {
  going_away: 4000,
  token_expired: 4001,
  token_revoked: 4002,
  too_fast: 4003,
  hello_timeout: 4004,
  overloaded: 4005,
  internal_error: 4006,
  token_not_yet_valid: 4007,
  protocol_error: 4500,
  unsupported_version: 4501,
  token_missing: 4502,
  token_rejected: 4503,
} as const;

/** The name of a close code. */
export type CloseName = keyof typeof CLOSE_CODE;

/** A request that was refused: what the peer is told, in a frame or an HTTP body. `detail` never holds a secret, a name or a payload. */
export interface Refusal {
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Makes a refusal; the status follows from the code. */
export function refusal(code: ErrorCode, detail: string): Refusal {
  return { status: ERROR_STATUS[code], code, detail };
}

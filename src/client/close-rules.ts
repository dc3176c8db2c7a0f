import { CLOSE_CODE } from '../protocol/codes.ts';

const FRESH_TOKEN: readonly (number | undefined)[] = [
  CLOSE_CODE.token_expired,
  CLOSE_CODE.token_revoked,
  CLOSE_CODE.token_missing,
  CLOSE_CODE.token_rejected,
];

/** Whether a client may come back after a close code: all but 4500 to 4999. Source: docs/PROTOCOL.md, section 13. */
export function mayReconnect(closeCode: number): boolean {
  return closeCode < 4500 || closeCode > 4999;
}

/** Whether coming back needs another token than the one in use, and may work with it. */
export function needsFreshToken(closeCode: number | undefined): boolean {
  return FRESH_TOKEN.includes(closeCode);
}

/** Whether a connection ended because of its token, be it by the hour. */
export function isTokenRefused(closeCode: number | undefined): boolean {
  return needsFreshToken(closeCode) || closeCode === CLOSE_CODE.token_not_yet_valid;
}

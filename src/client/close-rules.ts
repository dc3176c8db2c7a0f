import { CLOSE_CODE } from '../protocol/codes.ts';

/** Whether a client may come back after a close code: all but 4500 to 4999. Source: docs/PROTOCOL.md, section 13. */
export function mayReconnect(closeCode: number): boolean {
  return closeCode < 4500 || closeCode > 4999;
}

/** Whether coming back needs another token than the one in use. */
export function needsFreshToken(closeCode: number): boolean {
  return closeCode === CLOSE_CODE.token_expired || closeCode === CLOSE_CODE.token_revoked;
}

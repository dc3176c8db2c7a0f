import { type Refusal, refusal } from '../protocol/codes.ts';
import type { HttpRequest } from './uws.ts';

/** Headers of which the first, the last and both may each mean something else to somebody (RFC 9110, section 5.3): none may come twice. */
const ONCE: ReadonlySet<string> = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'mayfly-envelope',
  'origin',
  'sec-fetch-site',
  'sec-websocket-extensions',
  'sec-websocket-key',
  'sec-websocket-version',
  'transfer-encoding',
]);
const LENGTH_REQUIRED = refusal('length_required', 'send Content-Length: no transfer coding is taken');
const BAD_LENGTH = refusal('bad_request', 'Content-Length must be a number');

/** The headers of a request that count here, by their names in lower case, and what is wrong with them, if anything. */
export interface RequestHeaders {
  readonly values: ReadonlyMap<string, string>;
  readonly malformed: Refusal | null;
}

/** Reads the headers once, as uWebSockets.js takes them back. What its parser lets pass and another one would read in another way is malformed. */
export function readHeaders(request: HttpRequest): RequestHeaders {
  const values = new Map<string, string>();
  let malformed: Refusal | null = null;
  request.forEach((name, value) => {
    if (!ONCE.has(name)) return;
    if (values.has(name)) malformed = refusal('bad_request', `${name} came twice`);
    values.set(name, value);
  });
  const length = values.get('content-length');
  if (length !== undefined && !/^\d{1,15}$/.test(length)) malformed ??= BAD_LENGTH;
  if (values.has('transfer-encoding')) malformed ??= LENGTH_REQUIRED;
  return { values, malformed };
}

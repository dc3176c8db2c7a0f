import { parseJson } from '../json.ts';
import { decodeBase64Url } from './base64url.ts';

/** The members of a JSON object that nobody has vouched for. */
export type Members = Readonly<Record<string, unknown>>;

/** A token in compact form (RFC 7515, section 7.1), read and not verified: the texts of header and payload, JSON if the signer meant them to be. */
export interface Compact {
  readonly header: string;
  readonly payload: string;
}

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** Reads a token that is spelled the one way there is: base64url without padding, white space or loose bits. Undefined for any other spelling. */
export function readCompact(token: string): Compact | undefined {
  if (!COMPACT.test(token)) return undefined;
  const [header, payload, signature] = token.split('.').map(decodeBase64Url);
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  const [headerText, payloadText] = [textOf(header), textOf(payload)];
  return headerText === undefined || payloadText === undefined
    ? undefined
    : { header: headerText, payload: payloadText };
}

/** The members of a JSON object in which no name stands twice, at any depth; undefined for any other text. */
export function membersOf(text: string): Members | undefined {
  const read = parseJson(text);
  return 'value' in read ? objectOf(read.value) : undefined;
}

/** The same, quickly, for a text that nobody signed: of a name that stands twice the last counts. Undefined for what is no JSON object. */
export function looseMembersOf(text: string): Members | undefined {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function objectOf(value: unknown): Members | undefined {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isObject ? (value as Members) : undefined; // an object of JSON has members and nothing else
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

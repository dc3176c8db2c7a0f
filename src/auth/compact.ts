import { parseJson } from '../json.ts';
import { decodeBase64Url } from './base64url.ts';

/** The members of a JSON object that nobody has vouched for. */
export type Members = Readonly<Record<string, unknown>>;

/** A token in compact form (RFC 7515, section 7.1), read and not verified. */
export interface Compact {
  readonly header: Members;
  /** The payload's text: JSON, if the signer meant it to be. */
  readonly payload: string;
}

/** Three parts, as RFC 4648, section 5, would write them; whether the last character of each has no loose bits is looked at below. */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Reads a token that is spelled the one way there is: base64url without padding, white space or loose bits, a header in which no name stands twice.
 * Undefined for any other spelling, also where the signature would be good.
 */
export function readCompact(token: string): Compact | undefined {
  if (!COMPACT.test(token)) return undefined;
  const [header, payload, signature] = token.split('.').map(decodeBase64Url);
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  const [headerText, payloadText] = [textOf(header), textOf(payload)];
  if (headerText === undefined || payloadText === undefined) return undefined;
  const members = membersOf(headerText);
  return members === undefined ? undefined : { header: members, payload: payloadText };
}

/** The members of a JSON object in which no name stands twice, at any depth; undefined for any other text. */
export function membersOf(text: string): Members | undefined {
  const read = parseJson(text);
  const isObject =
    'value' in read && typeof read.value === 'object' && read.value !== null && !Array.isArray(read.value);
  return isObject ? (read.value as Members) : undefined; // an object of JSON has members and nothing else
}

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

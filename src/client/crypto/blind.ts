import { parsePattern } from '../../protocol/channel.ts';
import { utf8 } from '../bytes.ts';
import { checkKeyBytes, wrongType } from './checks.ts';
import { EncryptionError } from './errors.ts';
import { subtle } from './web-crypto.ts';

/** Characters of base64url that stand for a segment: 132 bits. */
const BLIND_CHARS = 22;

/**
 * Hides a channel name or pattern from the relay: each segment becomes the first 22 characters of
 * base64url(HMAC-SHA-256(blindKey, segment)), while `*` and `>` stay, so that a pattern matches the same names as before.
 * `blindKey` is 32 random bytes, shared with whoever writes tokens, and never a channel key. The same function serves a client and a
 * tenant's server. Rejects with `bad_key` or `bad_channel`: names that break the grammar or start with `$`, and, as a name has 200 bytes
 * at most, those of more than 8 segments.
 */
export async function blindName(blindKey: Uint8Array, name: string): Promise<string> {
  const raw = checkKeyBytes(blindKey);
  if (typeof name !== 'string') throw wrongType('bad_channel', 'a channel name or pattern', name);
  const segments = parsePattern(name);
  if (segments === undefined) throw new EncryptionError('bad_channel', 'expected a channel name or pattern');
  const key = await subtle().importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const blindSegment = async (segment: string): Promise<string> => {
    if (segment === '*' || segment === '>') return segment;
    return base64url(await subtle().sign('HMAC', key, utf8(segment))).slice(0, BLIND_CHARS);
  };
  const blind = (await Promise.all(segments.map(blindSegment))).join('.');
  if (parsePattern(blind) === undefined)
    throw new EncryptionError('bad_channel', 'expected at most 8 segments to blind');
  return blind;
}

function base64url(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
}

/** Bytes of base64url as RFC 4648, section 5, writes them, without padding; undefined for anything else, also for other spellings of the same bytes. */
export function decodeBase64Url(text: unknown): Uint8Array | undefined {
  if (typeof text !== 'string' || text === '') return undefined;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

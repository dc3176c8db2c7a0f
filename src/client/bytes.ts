/** Byte strings one after the other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Text as UTF-8. */
export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** UTF-8 as text; bytes that are none become U+FFFD. A text that begins with U+FEFF keeps it, also where decoders take no options. */
export function textOf(bytes: Uint8Array): string {
  let marks = 0;
  while (bytes[3 * marks] === 0xef && bytes[3 * marks + 1] === 0xbb && bytes[3 * marks + 2] === 0xbf) marks++;
  return '\uFEFF'.repeat(marks) + new TextDecoder().decode(bytes.subarray(3 * marks));
}

import { wrongType } from './checks.ts';

/**
 * How plaintexts are padded: `padme` (default) to a size that leaks O(log log) bits for at most 12 % more; a list of sizes in bytes,
 * ascending, each plaintext filling up the smallest it fits in, and multiples of the last one above that; or `none`. Sizes count kind,
 * data and marker. A receiver need not know.
 */
export type Padding = 'padme' | 'none' | readonly number[];

const MARKER = 0x80;

/** The size that Padmé gives to `length` bytes (Nikitin et al., "Reducing Metadata Leakage … with PURBs", PoPETs 2019, section 4). */
export function padmeBytes(length: number): number {
  if (length < 2) return length;
  const exponent = 31 - Math.clz32(length);
  const exponentBits = 32 - Math.clz32(exponent);
  return roundUp(length, 2 ** (exponent - exponentBits));
}

/** A padding as a program gave it, a list copied. Throws `bad_padding` for one that is empty, not ascending, or not of whole positive numbers. */
export function checkPadding(padding: Padding): Padding {
  if (padding === 'padme' || padding === 'none') return padding;
  const sizes: readonly unknown[] = Array.isArray(padding) ? [...padding] : [];
  if (sizes.length > 0 && isAscending(sizes)) return sizes;
  throw wrongType('bad_padding', 'padme, none, or ascending sizes in bytes', padding);
}

function isAscending(sizes: readonly unknown[]): sizes is readonly number[] {
  let before = 0;
  return sizes.every((size) => {
    const isMore = typeof size === 'number' && Number.isSafeInteger(size) && size > before;
    before = Number(size);
    return isMore;
  });
}

/** `kind`, `data`, the marker of ISO/IEC 7816-4, and zeros up to the padded size. */
export function pad(kind: number, data: Uint8Array, padding: Padding): Uint8Array {
  const marker = data.length + 1;
  const padded = new Uint8Array(paddedBytes(marker + 1, padding));
  padded[0] = kind;
  padded.set(data, 1);
  padded[marker] = MARKER;
  return padded;
}

/** Reverses `pad`; undefined when there is no marker, or nothing before it. */
export function unpad(padded: Uint8Array): { readonly kind: number; readonly data: Uint8Array } | undefined {
  let end = padded.length - 1;
  while (padded[end] === 0) end--;
  const [kind] = padded;
  if (kind === undefined || end < 1 || padded[end] !== MARKER) return undefined;
  return { kind, data: padded.subarray(1, end) };
}

function paddedBytes(length: number, padding: Padding): number {
  if (padding === 'padme') return padmeBytes(length);
  if (padding === 'none') return length;
  return padding.find((size) => size >= length) ?? roundUp(length, padding.at(-1) ?? 1);
}

function roundUp(length: number, unit: number): number {
  return Math.ceil(length / unit) * unit;
}

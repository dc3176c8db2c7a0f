import { decodeHeader, type Header } from './header.ts';
import { TAG_BYTES } from './sframe.ts';

/** What a frame is for: data of the app, or presence that members tell each other. Its index is its byte in the plaintext. */
export const KINDS = ['message', 'presence'] as const;
export type FrameKind = (typeof KINDS)[number];

/** Most frames of one KID: counters are below 2^32. */
export const MAX_FRAMES_PER_KID = 2 ** 32;

/** A KID always takes 7 or 8 bytes, so the first byte of a sealed body is at least this, and that of text or JSON below. */
const MIN_CONFIG = 0xe0;
/** Kind and marker. */
const MIN_PLAINTEXT_BYTES = 2;

/** Reads the header of a sealed body, or says why it is none. */
export function readSealed(body: Uint8Array): Header | 'not_encrypted' | 'malformed' {
  if ((body[0] ?? 0) < MIN_CONFIG) return 'not_encrypted';
  const header = decodeHeader(body);
  if (header === undefined || header.ctr >= MAX_FRAMES_PER_KID) return 'malformed';
  return body.length < header.length + MIN_PLAINTEXT_BYTES + TAG_BYTES ? 'malformed' : header;
}

/** KID and counter of a sealed body; both 0 where it is none, which no sealed one has. */
export function placeOf(body: Uint8Array): { readonly kid: bigint; readonly ctr: number } {
  const { kid = 0n, ctr = 0n } = decodeHeader(body) ?? {};
  return { kid, ctr: Number(ctr) };
}

/** The key generation in a KID: its first 8 of 64 bits. */
export function generationOf(kid: bigint): number {
  return Number(kid >> 56n);
}

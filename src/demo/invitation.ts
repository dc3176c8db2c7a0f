import { fromBase64url, toBase64url } from './base64url.ts';

/** What a person needs to join a room: 32 bytes each, and the key's generation. It stands behind the `#` of a link, which browsers send to nobody. */
export interface Invitation {
  readonly key: Uint8Array;
  readonly generation: number;
  readonly blindKey: Uint8Array;
}

const KEY_BYTES = 32;

/** An invitation to a room that nobody is in. */
export function freshInvitation(): Invitation {
  const random = (): Uint8Array => crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return { key: random(), generation: 0, blindKey: random() };
}

/** The fragment of an invitation's link. */
export function writeInvitation({ key, generation, blindKey }: Invitation): string {
  return `#key=${toBase64url(key)}&generation=${generation}&blind=${toBase64url(blindKey)}`;
}

/** Reads the fragment of a link. `none` when it is empty, `malformed` when it is anything else than `writeInvitation` writes. */
export function readInvitation(fragment: string): Invitation | 'none' | 'malformed' {
  if (fragment === '' || fragment === '#') return 'none';
  const fields = new URLSearchParams(fragment.slice(1));
  const key = fromBase64url(fields.get('key') ?? '');
  const blindKey = fromBase64url(fields.get('blind') ?? '');
  const generation = Number(fields.get('generation') ?? -1);
  if (key?.length !== KEY_BYTES || blindKey?.length !== KEY_BYTES) return 'malformed';
  if (!Number.isInteger(generation) || generation < 0 || generation > 255) return 'malformed';
  const invitation = { key, generation, blindKey };
  return writeInvitation(invitation) === fragment ? invitation : 'malformed';
}

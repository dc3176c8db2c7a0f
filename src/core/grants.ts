import { type Pattern, parsePattern } from '../protocol/channel.ts';

/** What a grant permits, as bits. */
export const Permission = { SUBSCRIBE: 1, PUBLISH: 2, PRESENCE: 4, AUDIT: 8 } as const;

/** An authority operation a token may carry. */
export const OPERATIONS = ['revoke'] as const;
export type Operation = (typeof OPERATIONS)[number];

/** Permission bits for the channels a pattern matches. */
export interface Grant {
  readonly pattern: Pattern;
  readonly permissions: number;
}

/** What the relay knows of a token whose signature and claims were checked. Times in milliseconds since 1970. */
export interface VerifiedToken {
  readonly tenant: string;
  readonly sub: string;
  readonly dev: string | undefined;
  readonly jti: string | undefined;
  readonly kid: string;
  /** RFC 7638 thumbprint of the key: tells a replaced key from one that kept its kid. */
  readonly keyThumbprint: string;
  readonly issuedAtMs: number;
  /** `nbf`, or `issuedAtMs` without one. */
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
  readonly can: readonly Grant[];
  readonly not: readonly Grant[];
  readonly ops: readonly Operation[];
}

/** What core needs of a tenant's key: which one it is, and the most a token signed by it may do. */
export interface KeyCeiling {
  readonly thumbprint: string;
  readonly ceiling: readonly Grant[];
  readonly ops: readonly Operation[];
}

/** Denials that change while a session lives: what revocations take away from one token. */
export interface Withdrawn {
  /** Whether everything is taken away on the channel. */
  covers(channel: Pattern): boolean;
  /** Whether something is taken away on some channel that the pattern matches. */
  touches(pattern: Pattern): boolean;
}

/** What decides in the end: what the token grants, what its key may grant, what is denied by token or revocation. */
export interface Rules {
  readonly can: readonly Grant[];
  readonly ceiling: readonly Grant[];
  readonly not: readonly Grant[];
  readonly ops: readonly Operation[];
  /** Nothing, when it is not there. */
  readonly withdrawn?: Withdrawn;
}

const LETTERS: Readonly<Record<string, number>> = {
  r: Permission.SUBSCRIBE,
  w: Permission.PUBLISH,
  p: Permission.PRESENCE,
  a: Permission.AUDIT,
};

/** Permission bits of letters such as `rw`; undefined for an empty string, an unknown or a repeated letter. */
export function parseLetters(letters: string): number | undefined {
  let bits = 0;
  for (const letter of letters) {
    const bit = Object.hasOwn(LETTERS, letter) ? LETTERS[letter] : undefined;
    if (bit === undefined || (bits & bit) !== 0) return undefined;
    bits |= bit;
  }
  return bits === 0 ? undefined : bits;
}

/** Reads one entry of a grant map; a string says what is wrong with it. */
export function parseGrant(text: string, letters: unknown): Grant | string {
  const pattern = parsePattern(text);
  if (pattern === undefined) return 'is not a channel name or pattern';
  const permissions = typeof letters === 'string' ? parseLetters(letters) : undefined;
  return permissions === undefined ? 'needs letters out of "rwpa", each at most once' : { pattern, permissions };
}

/** The letters of permission bits, in the order `rwpa`. */
export function lettersOf(permissions: number): string {
  return Object.entries(LETTERS)
    .filter(([, bit]) => (permissions & bit) !== 0)
    .map(([letter]) => letter)
    .join('');
}

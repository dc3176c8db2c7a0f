import { type Grant, OPERATIONS, type Operation, parseGrant } from '../core/grants.ts';
import { isSegment } from '../protocol/channel.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import type { Members } from './compact.ts';

/** The claims of a token, read once and checked. Times in seconds since 1970, as in the token. */
export interface Claims {
  readonly sub: string;
  readonly dev: string | undefined;
  readonly jti: string | undefined;
  readonly iat: number;
  readonly nbf: number | undefined;
  readonly exp: number;
  readonly can: readonly Grant[];
  readonly not: readonly Grant[];
  readonly ops: readonly Operation[];
}

/** Every claim a token may have. Any other is refused: a misspelt denial must not widen a grant. */
const KNOWN = new Set(['iss', 'sub', 'dev', 'jti', 'iat', 'nbf', 'exp', 'can', 'not', 'ops']);
const MAX_ID_LENGTH = 256;
const MAX_GRANTS = 1000;

/** Reads a payload whose signature is good; a refusal names the claim that is wrong, never its value. */
export function readClaims(payload: Members): Claims | Refusal {
  try {
    for (const name of Object.keys(payload))
      if (!KNOWN.has(name)) return invalid('a claim that is not known; known are', [...KNOWN].join(' '));
    const ids = { sub: idOf(payload, 'sub'), dev: idOf(payload, 'dev') };
    if (ids.sub === undefined) return invalid('sub', 'is required');
    const times = { iat: timeOf(payload, 'iat'), exp: timeOf(payload, 'exp') };
    if (times.iat === undefined) return invalid('iat', 'is required');
    if (times.exp === undefined) return invalid('exp', 'is required');
    return {
      sub: ids.sub,
      dev: ids.dev,
      jti: idOf(payload, 'jti'),
      iat: times.iat,
      nbf: timeOf(payload, 'nbf'),
      exp: times.exp,
      can: grantsOf(payload, 'can', ids),
      not: grantsOf(payload, 'not', ids),
      ops: operationsOf(payload),
    };
  } catch (error) {
    if (error instanceof ClaimError) return refusal('token_claims_invalid', error.message);
    throw error;
  }
}

/** Ends the reading of one token; never leaves this file. */
class ClaimError extends Error {}

function invalid(claim: string, problem: string): Refusal {
  return refusal('token_claims_invalid', `${claim} ${problem}`);
}

/** A NumericDate of RFC 7519. */
function timeOf(payload: Members, claim: string): number | undefined {
  const value = payload[claim];
  if (value === undefined) return undefined;
  if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) return value;
  throw new ClaimError(`${claim} must be a number of seconds since 1970`);
}

function idOf(payload: Members, claim: string): string | undefined {
  const value = payload[claim];
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length > 0 && value.length <= MAX_ID_LENGTH) return value;
  throw new ClaimError(`${claim} must be a string of 1 to ${MAX_ID_LENGTH} characters`);
}

function grantsOf(payload: Members, claim: 'can' | 'not', ids: Readonly<Record<string, string | undefined>>): Grant[] {
  const map = payload[claim];
  if (map === undefined) return [];
  if (typeof map !== 'object' || map === null || Array.isArray(map))
    throw new ClaimError(`${claim} must be a map of pattern to letters`);
  const entries = Object.entries(map);
  if (entries.length > MAX_GRANTS) throw new ClaimError(`${claim} must have at most ${MAX_GRANTS} entries`);
  return entries.map(([text, letters], i) => {
    const grant = parseGrant(fillIn(text, claim, ids), letters);
    if (typeof grant === 'string') throw new ClaimError(`${claim}: entry ${i + 1} ${grant}`);
    return grant;
  });
}

function fillIn(text: string, claim: string, ids: Readonly<Record<string, string | undefined>>): string {
  return text.replace(/\{(sub|dev)\}/g, (_, name: string) => {
    const value = ids[name];
    if (value === undefined) throw new ClaimError(`${claim} uses {${name}}, and there is no such claim`);
    if (!isSegment(value)) throw new ClaimError(`${name} must be one channel segment, as ${claim} uses it`);
    return value;
  });
}

function operationsOf(payload: Members): Operation[] {
  const { ops } = payload;
  if (ops === undefined) return [];
  const isList = Array.isArray(ops) && ops.every((op) => OPERATIONS.includes(op));
  if (!isList) throw new ClaimError(`ops must be a list out of: ${OPERATIONS.join(', ')}`);
  return ops;
}

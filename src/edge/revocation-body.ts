import * as v from 'valibot';
import type { Revocation, Target } from '../core/revocations.ts';
import { parsePattern } from '../protocol/channel.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';

const before = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)));
const id = v.pipe(v.string(), v.nonEmpty(), v.maxLength(256));

const RevocationBody = v.union([
  v.strictObject({ jti: id, before }),
  v.strictObject({ sub: id, dev: v.exactOptional(id), before }),
  v.strictObject({ kid: id, before }),
  v.strictObject({ channel: id, before }),
]);

/** Tokens may be dated ahead by this much (auth/tokens), so those of this moment are. */
const CLOCK_TOLERANCE_MS = 5000;
const TOO_LATE = refusal('bad_body', 'before is further ahead than a token lives');
const BAD_BODY = refusal(
  'bad_body',
  'name one of: jti; sub; sub and dev; kid; channel. And before, in seconds, if you like',
);

/**
 * Reads the body of POST /v1/revocations. Tokens issued before `before` (now, if left out) are covered; they are all expired
 * `maxTokenTtlSeconds` after that.
 */
export function readRevocation(body: Uint8Array, nowMs: number, maxTokenTtlSeconds: number): Revocation | Refusal {
  const parsed = v.safeParse(RevocationBody, parseJson(body));
  if (!parsed.success) return BAD_BODY;
  const { before: beforeSeconds, ...named } = parsed.output;
  const target = targetOf(named);
  if (target === undefined) return refusal('bad_channel', 'not a channel name or pattern, or reserved');
  const beforeMs = beforeSeconds === undefined ? nowMs + 1 + CLOCK_TOLERANCE_MS : beforeSeconds * 1000;
  if (beforeMs > nowMs + maxTokenTtlSeconds * 1000 + CLOCK_TOLERANCE_MS + 1) return TOO_LATE;
  return { target, beforeMs, untilMs: Math.max(beforeMs, nowMs) + maxTokenTtlSeconds * 1000 };
}

function targetOf(
  named: { channel: string } | { jti: string } | { sub: string; dev?: string } | { kid: string },
): Target | undefined {
  if (!('channel' in named)) return named;
  const channel = parsePattern(named.channel);
  return channel === undefined ? undefined : { channel };
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    return undefined;
  }
}

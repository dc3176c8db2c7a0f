import * as v from 'valibot';
import type { Revocation, Target } from '../core/revocations.ts';
import { revocationOf, type TokenTimes } from '../core/token-times.ts';
import { parseJson } from '../json.ts';
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

const TOO_LATE = refusal('bad_body', 'before is further ahead than a token lives');
const BAD_BODY = refusal(
  'bad_body',
  'name one of: jti; sub; sub and dev; kid; channel. And before, in seconds, if you like',
);

/** Reads the body of POST /v1/revocations. */
export function readRevocation(body: Uint8Array, nowMs: number, times: TokenTimes): Revocation | Refusal {
  const parsed = v.safeParse(RevocationBody, readJson(body));
  if (!parsed.success) return BAD_BODY;
  const { before: beforeSeconds, ...named } = parsed.output;
  const target = targetOf(named);
  if (target === undefined) return refusal('bad_channel', 'not a channel name or pattern, or reserved');
  const beforeMs = beforeSeconds === undefined ? undefined : beforeSeconds * 1000;
  return revocationOf(target, beforeMs, { nowMs, times }) ?? TOO_LATE;
}

function targetOf(
  named: { channel: string } | { jti: string } | { sub: string; dev?: string } | { kid: string },
): Target | undefined {
  if (!('channel' in named)) return named;
  const channel = parsePattern(named.channel);
  return channel === undefined ? undefined : { channel };
}

function readJson(body: Uint8Array): unknown {
  const read = parseJson(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
  return 'value' in read ? read.value : undefined;
}

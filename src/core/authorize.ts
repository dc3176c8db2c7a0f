import { covers, matches, overlaps, type Pattern } from '../protocol/channel.ts';
import { type Grant, Permission, type Rules } from './grants.ts';

/** Permission bits for a channel: granted by the token and its key's ceiling, and not denied. */
export function permissionsFor(rules: Rules, channel: Pattern): number {
  return granted(rules.can, channel) & granted(rules.ceiling, channel) & ~granted(rules.not, channel);
}

/** Whether every channel the pattern matches may be subscribed to: one entry covers it on each side, no denial touches it. */
export function maySubscribePattern(rules: Rules, pattern: Pattern): boolean {
  return (
    isCovered(rules.can, pattern) &&
    isCovered(rules.ceiling, pattern) &&
    !rules.not.some((denial) => (denial.permissions & Permission.SUBSCRIBE) !== 0 && overlaps(denial.pattern, pattern))
  );
}

function granted(grants: readonly Grant[], channel: Pattern): number {
  let bits = 0;
  for (const grant of grants) if (matches(grant.pattern, channel)) bits |= grant.permissions;
  return bits;
}

function isCovered(grants: readonly Grant[], pattern: Pattern): boolean {
  return grants.some((grant) => (grant.permissions & Permission.SUBSCRIBE) !== 0 && covers(grant.pattern, pattern));
}

import { covers, matches, overlaps, type Pattern } from '../protocol/channel.ts';
import { type Grant, Permission, type Rules } from './grants.ts';
import { PatternTree } from './pattern-tree.ts';

const EVERYTHING = Permission.SUBSCRIBE | Permission.PUBLISH | Permission.PRESENCE | Permission.AUDIT;
/** Longer lists are searched as a tree. */
const SHORT = 16;
/** The trees of long lists; a list never changes, and its tree goes with it. */
const trees = new WeakMap<readonly Grant[], PatternTree<Grant>>();

/** Permission bits for a channel: granted by the token and its key's ceiling, and not denied. */
export function permissionsFor(rules: Rules, channel: Pattern): number {
  const bits = granted(rules.can, channel) & granted(rules.ceiling, channel);
  if (bits === 0 || rules.withdrawn?.covers(channel) === true) return 0;
  return bits & ~granted(rules.not, channel);
}

/** Whether every channel the pattern matches may be subscribed to: one entry covers it on each side, no denial touches it. */
export function maySubscribePattern(rules: Rules, pattern: Pattern): boolean {
  return (
    isCovered(rules.can, pattern) &&
    isCovered(rules.ceiling, pattern) &&
    !isDenied(rules.not, pattern) &&
    rules.withdrawn?.touches(pattern) !== true
  );
}

function granted(grants: readonly Grant[], channel: Pattern): number {
  let bits = 0;
  if (grants.length > SHORT) {
    treeOf(grants).someCovering(channel, ({ permissions }) => {
      bits |= permissions;
      return bits === EVERYTHING;
    });
    return bits;
  }
  for (const grant of grants) if (matches(grant.pattern, channel)) bits |= grant.permissions;
  return bits;
}

function isCovered(grants: readonly Grant[], pattern: Pattern): boolean {
  if (grants.length > SHORT) return treeOf(grants).someCovering(pattern, maySubscribe);
  return grants.some((grant) => maySubscribe(grant) && covers(grant.pattern, pattern));
}

function isDenied(denials: readonly Grant[], pattern: Pattern): boolean {
  if (denials.length > SHORT) return treeOf(denials).someOverlapping(pattern, maySubscribe);
  return denials.some((denial) => maySubscribe(denial) && overlaps(denial.pattern, pattern));
}

function maySubscribe({ permissions }: Grant): boolean {
  return (permissions & Permission.SUBSCRIBE) !== 0;
}

function treeOf(grants: readonly Grant[]): PatternTree<Grant> {
  let tree = trees.get(grants);
  if (tree === undefined) {
    tree = new PatternTree(grants);
    trees.set(grants, tree);
  }
  return tree;
}

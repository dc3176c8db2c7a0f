import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Patterned, PatternTree } from '../../src/core/pattern-tree.ts';
import { isMatch, NAMES, namesOf, patterns } from './names.ts';

const entries = fc.array(patterns, { maxLength: 60 }).map((list) => list.map((pattern) => ({ pattern })));

/** Everything a search visits. */
function found(search: (visit: (entry: Patterned) => boolean) => boolean): Patterned[] {
  const visited: Patterned[] = [];
  search((entry) => {
    visited.push(entry);
    return false;
  });
  return visited;
}
const sameSet = (a: readonly Patterned[], b: readonly Patterned[]): void => {
  expect(a).toHaveLength(b.length);
  expect(new Set(a)).toEqual(new Set(b));
};

describe('a tree of patterns', () => {
  it('finds each entry that matches a name once, and no other, whatever was taken out before', () => {
    fc.assert(
      fc.property(entries, fc.func(fc.boolean()), (all, isTaken) => {
        const tree = new PatternTree(all);
        const taken = new Set(all.filter((_, i) => isTaken(i)));
        for (const entry of taken) tree.delete(entry);
        for (const entry of taken) tree.delete(entry);
        const kept = all.filter((entry) => !taken.has(entry));
        expect(tree.size).toBe(kept.length);
        for (const name of NAMES)
          sameSet(
            found((visit) => tree.someCovering(name, visit)),
            kept.filter(({ pattern }) => isMatch(pattern, name)),
          );
      }),
      { numRuns: 300 },
    );
  });

  it('finds each entry that overlaps a pattern, and no other', () => {
    fc.assert(
      fc.property(entries, patterns, (all, asked) => {
        const tree = new PatternTree(all);
        const names = namesOf(asked);
        sameSet(
          found((visit) => tree.someOverlapping(asked, visit)),
          all.filter(({ pattern }) => names.some((name) => isMatch(pattern, name))),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('stops at the first entry that will do', () => {
    const tree = new PatternTree(Array.from({ length: 100 }, () => ({ pattern: ['>'] })));
    let visits = 0;
    expect(tree.someCovering(['a', 'b'], () => ++visits === 3)).toBe(true);
    expect(visits).toBe(3);
    expect(tree.someCovering(['a'], () => false)).toBe(false);
  });
});

import { covers, overlaps, type Pattern } from '../protocol/channel.ts';

/** Anything that is found by its pattern. */
export interface Patterned {
  readonly pattern: Pattern;
}

interface Node<E> {
  /** Entries whose pattern ends here and, while there are no children, all that begin like this. */
  entries: E[];
  children: Map<string, Node<E>> | null;
}

/** So many entries are asked one by one before they are sorted by their next segment. */
const BUCKET = 16;

/**
 * Entries sorted by the segments of their patterns. The tree only leaves out entries that cannot do; each one left is asked with the rules
 * of `protocol/channel`. Not to be changed during a search.
 */
export class PatternTree<E extends Patterned> {
  readonly #root: Node<E> = { entries: [], children: null };
  size = 0;

  constructor(entries: Iterable<E> = []) {
    for (const entry of entries) this.add(entry);
  }

  /** Adds an entry that is not in it. */
  add(entry: E): void {
    put(this.#root, entry, 0);
    this.size++;
  }

  /** Takes an entry out. */
  delete(entry: E): void {
    if (take(this.#root, entry, 0)) this.size--;
  }

  /** Whether `visit` says true of an entry whose pattern covers the name or pattern; stops at the first. */
  someCovering(inner: Pattern, visit: (entry: E) => boolean): boolean {
    return findCovering(this.#root, inner, 0, visit);
  }

  /** Whether `visit` says true of an entry whose pattern overlaps the pattern; stops at the first. */
  someOverlapping(pattern: Pattern, visit: (entry: E) => boolean): boolean {
    return findOverlapping(this.#root, pattern, 0, visit);
  }
}

function put<E extends Patterned>(node: Node<E>, entry: E, depth: number): void {
  const segment = entry.pattern[depth];
  if (node.children !== null && segment !== undefined) {
    let child = node.children.get(segment);
    if (child === undefined) {
      child = { entries: [], children: null };
      node.children.set(segment, child);
    }
    put(child, entry, depth + 1);
    return;
  }
  node.entries.push(entry);
  if (node.children !== null || node.entries.length <= BUCKET) return;
  const longer = node.entries.filter(({ pattern }) => pattern.length > depth);
  if (longer.length === 0) return;
  node.entries = node.entries.filter(({ pattern }) => pattern.length === depth);
  node.children = new Map();
  for (const each of longer) put(node, each, depth);
}

/** Whether it was there; a child that is empty then goes too. */
function take<E extends Patterned>(node: Node<E>, entry: E, depth: number): boolean {
  const segment = entry.pattern[depth];
  if (node.children === null || segment === undefined) return remove(node.entries, entry);
  const child = node.children.get(segment);
  if (child === undefined || !take(child, entry, depth + 1)) return false;
  if (child.entries.length === 0 && child.children === null) node.children.delete(segment);
  if (node.children.size === 0) node.children = null;
  return true;
}

function remove<E>(entries: E[], entry: E): boolean {
  const at = entries.indexOf(entry);
  const last = entries.pop();
  if (at >= 0 && at < entries.length)
    entries[at] = last as E; // there was one: at >= 0
  else if (at < 0 && last !== undefined) entries.push(last);
  return at >= 0;
}

function findCovering<E extends Patterned>(
  node: Node<E>,
  inner: Pattern,
  depth: number,
  visit: (entry: E) => boolean,
): boolean {
  for (const entry of node.entries) if (covers(entry.pattern, inner) && visit(entry)) return true;
  const segment = inner[depth];
  if (node.children === null || segment === undefined) return false;
  for (const key of segment === '*' || segment === '>' ? WILD : [segment, ...WILD]) {
    const child = node.children.get(key);
    if (child !== undefined && findCovering(child, inner, depth + 1, visit)) return true;
  }
  return false;
}

function findOverlapping<E extends Patterned>(
  node: Node<E>,
  pattern: Pattern,
  depth: number,
  visit: (entry: E) => boolean,
): boolean {
  for (const entry of node.entries) if (overlaps(entry.pattern, pattern) && visit(entry)) return true;
  const segment = pattern[depth];
  if (node.children === null || segment === undefined) return false;
  const next = segment === '>' ? depth : depth + 1; // a rest goes on
  for (const key of segment === '*' || segment === '>' ? node.children.keys() : [segment, ...WILD]) {
    const child = node.children.get(key);
    if (child !== undefined && findOverlapping(child, pattern, next, visit)) return true;
  }
  return false;
}

const WILD = ['*', '>'] as const;

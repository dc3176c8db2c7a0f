import * as v from 'valibot';
import type { Problem } from '../errors.ts';

/** What the operator is told of one thing the schema found: path, value (unless it may be a secret), and what would do. */
export function problemOf(issue: v.BaseIssue<unknown>): Problem {
  const path = v.getDotPath(issue) ?? 'the file';
  if (issue.type === 'strict_object' && issue.expected === 'never')
    return { path, message: 'is not a setting of Mayfly' };
  if (issue.input === undefined) {
    return { path, message: issue.type === 'strict_object' ? 'is required' : `is required: ${issue.message}` };
  }
  const expected = issue.type === 'strict_object' ? 'must be a map' : issue.message;
  return { path, message: `is ${show(issue.input, path)}, ${expected}` };
}

/** A value as text. Keys are under `tenants`, so nothing but numbers is quoted from there. */
function show(value: unknown, path: string): string {
  const isQuotable =
    typeof value === 'number' ||
    typeof value === 'boolean' ||
    (typeof value === 'string' && !path.startsWith('tenants'));
  if (isQuotable) return JSON.stringify(value).slice(0, 80);
  if (Array.isArray(value)) return 'a list';
  return value === null ? 'null' : `a ${typeof value === 'object' ? 'map' : typeof value}`;
}

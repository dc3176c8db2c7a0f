import type { Problem } from '../errors.ts';
import { isInjected } from './injected-variables.ts';
import { SECTIONS } from './schema.ts';

/** One setting the environment can override: its variable, its path in the file, and how its text is read. */
interface Override {
  readonly variable: string;
  readonly path: readonly string[];
  readonly read: (text: string) => unknown;
}

/** Variables that start with MAYFLY_ and are no settings. */
const OTHERS = new Set(['MAYFLY_CONFIG', 'MAYFLY_TOKEN', 'MAYFLY_KEY']);

/** Every environment override, such as MAYFLY_LISTEN_PORT for listen.port. */
export const OVERRIDES: readonly Override[] = [
  ...overridesOf(['listen'], SECTIONS.listen.entries),
  ...overridesOf(['listen', 'tls'], SECTIONS.tls.entries),
  ...overridesOf(['admin'], SECTIONS.admin.entries),
  ...overridesOf(['limits'], SECTIONS.limits.entries),
];

/** Lays the environment's MAYFLY_ variables over a parsed configuration file; a variable that means nothing is a problem. */
export function applyEnvironment(file: unknown, env: Readonly<Record<string, string | undefined>>): Problem[] {
  const problems: Problem[] = [];
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith('MAYFLY_') || OTHERS.has(variable) || text === undefined || isInjected(variable, text))
      continue;
    const override = OVERRIDES.find((candidate) => candidate.variable === variable);
    if (override === undefined) problems.push({ path: variable, message: 'is not a setting of Mayfly' });
    else setPath(file, override.path, override.read(text));
  }
  return problems;
}

function overridesOf(section: readonly string[], entries: Readonly<Record<string, { type: string }>>): Override[] {
  return Object.keys(entries)
    .filter((name) => name !== 'tls')
    .map((name) => {
      const path = [...section, name];
      const variable = `MAYFLY_${path.map((part) => part.replace(/[A-Z]/g, '_$&').toUpperCase()).join('_')}`;
      return { variable, path, read: name === 'host' || name.endsWith('File') ? (text: string) => text : readJson };
    });
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text; // the schema will say what it should have been
  }
}

function setPath(target: unknown, path: readonly string[], value: unknown): void {
  let node = target;
  for (const part of path.slice(0, -1)) {
    if (!isRecord(node)) return;
    node[part] ??= {};
    node = node[part];
  }
  const last = path.at(-1);
  if (isRecord(node) && last !== undefined) node[last] = value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

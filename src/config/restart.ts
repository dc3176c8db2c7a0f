import type { Problem } from '../errors.ts';
import type { Config } from './schema.ts';

/** What of a new configuration a running relay cannot put in force: a problem for each setting that needs a restart. */
export function restartProblems(inForce: Config, next: Config): Problem[] {
  return [
    ...sectionProblems('listen', fixedListen(inForce), fixedListen(next)),
    ...sectionProblems('admin', inForce.admin, next.admin),
    ...sectionProblems('limits', inForce.limits, next.limits),
  ];
}

/** The certificate can be exchanged; whether there is one cannot. */
function fixedListen({ listen: { tls, ...rest } }: Config): Section {
  return { ...rest, tls: tls !== undefined };
}

type Section = Readonly<Record<string, unknown>>;

function sectionProblems(section: string, before: Section, after: Section): Problem[] {
  const names = Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name]);
  return names.map((name) => ({
    path: `${section}.${name}`,
    message:
      name === 'tls'
        ? 'cannot come or go by a reload: restart'
        : `is ${String(before[name])}, and ${String(after[name])} needs a restart`,
  }));
}

import { optionsOf, typeOf } from './given.ts';

/** What an option may be: in words, and as a test. */
export type Rule = readonly [words: string, isFine: (value: unknown) => boolean];

/** Longest wait of a timer, and more than anything is counted to. */
const MAX_NUMBER = 2 ** 31 - 1;

export const flag: Rule = ['true or false', (value) => typeof value === 'boolean'];
export const action: Rule = ['a function', (value) => typeof value === 'function'];
export const object: Rule = ['an object', (value) => typeof value === 'object' && value !== null];
/** Whatever is looked at elsewhere. */
export const other: Rule = ['', () => true];
export const abortSignal: Rule = [
  'an AbortSignal',
  (value) =>
    typeof (value as AbortSignal | null)?.aborted === 'boolean' && 'addEventListener' in (value as AbortSignal),
];

/** A number from `min` on; whole ones only, where `isWhole` says so. */
export function number(min: number, isWhole = false): Rule {
  const isNumber = isWhole ? Number.isInteger : Number.isFinite;
  return [
    `a ${isWhole ? 'whole ' : ''}number from ${min} to ${MAX_NUMBER}`,
    (value) => isNumber(value) && Number(value) >= min && Number(value) <= MAX_NUMBER,
  ];
}

/** One of some texts. */
export function oneOf(...texts: readonly string[]): Rule {
  return [texts.map(shown).join(', '), (value) => texts.includes(value as string)];
}

/** Throws a TypeError unless a value is as the rule says. `what` tells where it was given. */
export function check(what: string, value: unknown, [words, isFine]: Rule): void {
  if (!isFine(value)) throw new TypeError(`${what}: expected ${words}, got ${shown(value)}`);
}

/**
 * Options as a program gave them, none where they were left out. Throws a TypeError for what holds none, for an option that there is not,
 * and for one that breaks its rule; an undefined one was not given.
 */
export function checkOptions<T extends object>(
  what: string,
  options: T | undefined,
  rules: Readonly<Record<string, Rule>>,
): Partial<T> {
  const given = optionsOf(options);
  for (const name of Object.keys(given)) check(`${what}: option`, name, oneOf(...Object.keys(rules)));
  for (const [name, rule] of Object.entries(rules)) {
    const value: unknown = given[name as keyof T];
    if (value !== undefined) check(`${what}: ${name}`, value, rule);
  }
  return given;
}

/** A value in an error: short, and of objects only what they are. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  return Object(value) === value ? typeOf(value) : String(value);
}

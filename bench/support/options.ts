import { parseArgs } from 'node:util';

/** A command line that cannot be understood; its message is for the person who typed it. */
export class UsageError extends Error {}

/** The options given on a command line, each as the texts that were given for it. */
export type Options<Name extends string> = Readonly<Partial<Record<Name, string[]>>>;

/** Reads `--NAME VALUE` for these names. Throws a UsageError at anything else. */
export function readOptions<Name extends string>(args: readonly string[], names: readonly Name[]): Options<Name> {
  const each = { type: 'string', multiple: true } as const;
  try {
    const { values } = parseArgs({ args: [...args], options: Object.fromEntries(names.map((name) => [name, each])) });
    return values as Options<Name>; // multiple strings under these names only, as asked for
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** The last of the texts as a number over 0. Throws a UsageError. */
export function positive(name: string, texts: readonly string[] | undefined, fallback: number, max: number): number {
  const text = texts?.at(-1);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (value > 0 && value <= max) return value;
  throw new UsageError(`--${name} is '${text}', expected a number over 0, at most ${max}`);
}

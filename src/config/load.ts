import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { type KeyRing, loadKeyRing, sharedKeys } from '../auth/tenants.ts';
import { ConfigError, type Problem } from '../errors.ts';
import { parseJson } from '../json.ts';
import { checkSettings, inheritedNames, keysIn, misplacedLists, part } from './checks.ts';
import { applyEnvironment } from './environment.ts';
import { problemOf } from './problems.ts';
import { type Config, ConfigSchema, SECTIONS } from './schema.ts';
import { type LoadedTls, loadTls } from './tls.ts';

/** A configuration with everything it names read and checked. */
export interface LoadedConfig {
  readonly config: Config;
  readonly keys: KeyRing;
  readonly tls: LoadedTls | undefined;
  /** What is permitted and doubtful. Paths may hold a tenant's name. */
  readonly warnings: readonly Problem[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads and checks a configuration file under the environment's overrides. Throws one ConfigError that lists every problem. */
export async function loadConfigFile(file: string, env: Environment): Promise<LoadedConfig> {
  return loadConfig(await readJsonFile(file), env, dirname(file));
}

/** Checks a parsed configuration under the environment's overrides; file names in it are relative to `folder`. Throws one ConfigError. */
export async function loadConfig(input: unknown, env: Environment = {}, folder = '.'): Promise<LoadedConfig> {
  const file: unknown = structuredClone(input);
  const problems = [...applyEnvironment(file, env), ...misplacedLists(file), ...inheritedNames(file)];
  const parsed = v.safeParse(ConfigSchema, file, { abortPipeEarly: true });
  if (!parsed.success) problems.push(...parsed.issues.map(problemOf));
  problems.push(...checkSettings(file));
  const keys = await collect(problems, () => loadKeyRing(keysIn(file)));
  const files = part(SECTIONS.tls, file, 'listen', 'tls');
  const tls = files === undefined ? undefined : await collect(problems, () => loadTls(files, folder));
  if (problems.length > 0 || !parsed.success || keys === undefined) throw new ConfigError(problems);
  const warnings = [...(tls?.warnings ?? []), ...sharedKeys(keys)];
  return { config: deepFreeze(parsed.output), keys, tls, warnings };
}

async function collect<T>(problems: Problem[], load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

async function readJsonFile(file: string): Promise<unknown> {
  const text = textOf(await readBytes(file));
  if (text === undefined) throw new ConfigError([{ path: file, message: 'is not UTF-8' }]);
  const read = parseJson(text);
  if ('value' in read) return read.value;
  throw new ConfigError([{ path: file, message: `line ${read.line}, column ${read.column}: ${read.problem}` }]);
}

async function readBytes(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError([{ path: file, message: `cannot be read (${code})` }], { cause: error });
  }
}

/** Text of UTF-8; a byte order mark ahead of it, as some editors write, is left out. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

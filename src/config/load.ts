import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { type KeyRing, loadKeyRing } from '../auth/tenants.ts';
import { ConfigError, type Problem } from '../errors.ts';
import { applyEnvironment } from './environment.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { type LoadedTls, loadTls } from './tls.ts';

/** A configuration with everything it names read and checked. */
export interface LoadedConfig {
  readonly config: Config;
  readonly keys: KeyRing;
  readonly tls: LoadedTls | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads and checks a configuration file under the environment's overrides. Throws one ConfigError that lists every problem. */
export async function loadConfigFile(file: string, env: Environment): Promise<LoadedConfig> {
  return loadConfig(await readJsonFile(file), env, dirname(file));
}

/** Checks a parsed configuration under the environment's overrides; file names in it are relative to `folder`. Throws one ConfigError. */
export async function loadConfig(input: unknown, env: Environment = {}, folder = '.'): Promise<LoadedConfig> {
  const file: unknown = structuredClone(input);
  const problems = applyEnvironment(file, env);
  const parsed = v.safeParse(ConfigSchema, file);
  if (!parsed.success) problems.push(...parsed.issues.map(problemOf));
  const config = parsed.success ? parsed.output : undefined;
  if (config !== undefined) problems.push(...crossChecks(config));
  const keys = await collect(problems, () => loadKeyRing(keysOf(file)));
  const tls =
    config?.listen.tls === undefined ? undefined : await collect(problems, () => loadTls(config.listen.tls, folder));
  if (problems.length > 0 || config === undefined || keys === undefined) throw new ConfigError(problems);
  return { config: deepFreeze(config), keys, tls };
}

/** Whether only this machine can reach an address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function crossChecks({ listen, admin, limits }: Config): Problem[] {
  const problems: Problem[] = [];
  if (listen.tls === undefined && !listen.behindProxy && !isLoopback(listen.host)) {
    problems.push({ path: 'listen', message: 'off loopback, needs tls, or behindProxy: true when a proxy speaks TLS' });
  }
  if (listen.port !== 0 && listen.port === admin.port && listen.host === admin.host) {
    problems.push({ path: 'admin.port', message: `is ${admin.port}, the same as listen.port` });
  }
  if (limits.maxBufferedBytes < 2 * limits.maxFrameBytes + 65_536) {
    problems.push({
      path: 'limits.maxBufferedBytes',
      message: `is ${limits.maxBufferedBytes}, must be at least 2 * maxFrameBytes + 65536`,
    });
  }
  return problems;
}

/** The tenants whose keys have the right shape, so that wrong keys are listed together with wrong settings. */
function keysOf(file: unknown): Config['tenants'] {
  const TenantsOnly = v.object({ tenants: ConfigSchema.entries.tenants });
  const parsed = v.safeParse(TenantsOnly, file);
  return parsed.success ? parsed.output.tenants : {};
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

function problemOf(issue: v.BaseIssue<unknown>): Problem {
  const path = (v.getDotPath(issue) ?? '') || 'the file';
  if (issue.type === 'strict_object') {
    return issue.expected === 'never'
      ? { path, message: 'is not a setting of Mayfly' }
      : { path, message: issue.input === undefined ? 'is required' : 'must be an object' };
  }
  if (issue.input === undefined) return { path, message: `is required: ${issue.message}` };
  return { path, message: `is ${show(issue.input, path)}, ${issue.message}` };
}

function show(value: unknown, path: string): string {
  if (path.includes('.jwk')) return 'not right';
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}

async function readJsonFile(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new ConfigError([{ path: file, message: `cannot be read (${(error as NodeJS.ErrnoException).code})` }], {
      cause: error,
    });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new ConfigError([{ path: file, message: 'is not JSON' }]); // the parser's message would quote the file, and it may hold secrets
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}

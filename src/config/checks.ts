import * as v from 'valibot';
import type { KeyConfig } from '../auth/tenants.ts';
import type { Problem } from '../errors.ts';
import { SECTIONS } from './schema.ts';

/** The part of a configuration at `path`, with its defaults; undefined when it is not there or not right. */
export function part<S extends v.GenericSchema>(
  schema: S,
  file: unknown,
  ...path: string[]
): v.InferOutput<S> | undefined {
  const parsed = v.safeParse(schema, at(file, path));
  return parsed.success ? parsed.output : undefined;
}

/** Checks that concern more than one setting, as far as the settings themselves are right. */
export function checkSettings(file: unknown): Problem[] {
  const problems: Problem[] = [];
  const listen = part(SECTIONS.listen, { listen: {}, ...asRecord(file) }, 'listen');
  const admin = part(SECTIONS.admin, { admin: {}, ...asRecord(file) }, 'admin');
  const limits = part(SECTIONS.limits, { limits: {}, ...asRecord(file) }, 'limits');
  if (listen !== undefined && listen.tls === undefined && !listen.behindProxy && !isLoopback(listen.host)) {
    problems.push({ path: 'listen', message: 'off loopback, needs tls, or behindProxy: true when a proxy speaks TLS' });
  }
  if (
    listen !== undefined &&
    listen.port !== 0 &&
    listen.port === admin?.port &&
    isSameAddress(listen.host, admin.host)
  ) {
    problems.push({ path: 'admin.port', message: `is ${admin.port}, the same as listen.port` });
  }
  if (limits !== undefined && limits.maxBufferedBytes < 2 * limits.maxFrameBytes + 65_536) {
    const message = `is ${limits.maxBufferedBytes}, must be at least 2 * maxFrameBytes + 65536`;
    problems.push({ path: 'limits.maxBufferedBytes', message });
  }
  return problems;
}

/** The keys of each tenant, undefined where one has not even the shape of a key. */
export function keysIn(file: unknown): Record<string, { keys: (KeyConfig | undefined)[] }> {
  const tenants = Object.entries(asRecord(at(file, ['tenants'])));
  return Object.fromEntries(
    tenants.map(([name, tenant]) => {
      const keys = at(tenant, ['keys']);
      return [name, { keys: Array.isArray(keys) ? keys.map(keyIn) : [] }];
    }),
  );
}

/** A key with the grants of the file: the schema library would leave out a pattern that is also a name which objects have. */
function keyIn(key: unknown): KeyConfig | undefined {
  const parsed = part(SECTIONS.key, key);
  return parsed === undefined ? undefined : { ...parsed, grants: asRecord(at(key, ['grants'])) };
}

/** A problem for each tenant whose name the schema library would leave out without a word. */
export function inheritedNames(file: unknown): Problem[] {
  return Object.keys(asRecord(at(file, ['tenants'])))
    .filter((name) => LEFT_OUT.has(name))
    .map((name) => ({ path: `tenants.${name}`, message: 'is a name that every object has: choose another' }));
}

const LEFT_OUT = new Set(['__proto__', 'constructor', 'prototype']);

/** A problem for each list that stands where a map should. */
export function misplacedLists(value: unknown, path: readonly string[] = []): Problem[] {
  if (Array.isArray(value) && !isList(path))
    return [{ path: path.join('.') || 'the file', message: 'must be a map, not a list' }];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => misplacedLists(child, [...path, name]));
}

/** Where the configuration has lists; everywhere else the schema library would take a list for a map. */
function isList(path: readonly string[]): boolean {
  const [section, name, list, , member] = path;
  if (section === 'cors') return name === 'origins' && path.length === 2;
  if (section !== 'tenants' || list !== 'keys') return false;
  return path.length === 3 || (member === 'ops' && path.length === 5) || (member === 'jwk' && path.length > 5);
}

/** Whether two hosts cannot have the same port: one is the other, or all of this machine. */
function isSameAddress(one: string, other: string): boolean {
  const isAll = ALL_ADDRESSES.includes(one) || ALL_ADDRESSES.includes(other);
  const isLocal =
    isLoopback(one) && isLoopback(other) && [one, other].some((host) => host.toLowerCase() === 'localhost');
  return isAll || isLocal || one.toLowerCase() === other.toLowerCase();
}

const ALL_ADDRESSES = ['0.0.0.0', '::'];

/** Whether an address to listen on can be reached from this machine alone. */
export function isLoopback(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((node, name) => asRecord(node)[name], value);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

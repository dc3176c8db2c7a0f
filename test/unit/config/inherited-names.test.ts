import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { configWith, keyWith, pathsOf } from './configs.ts';

/** Names that every object has, and what the schema library leaves out without a word. */
const NAMES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'];
const LEFT_OUT = ['__proto__', 'constructor', 'prototype'];
/** A map as JSON has it: `__proto__` is a member. */
const mapOf = (name: string, value: unknown): Record<string, unknown> => Object.fromEntries([[name, value]]);

describe.each(NAMES)('the name %s', (name) => {
  it('is taken as a pattern of a ceiling, and of wrong letters it is refused', async () => {
    const { keys } = await loadConfig({ tenants: { acme: { keys: [keyWith({ grants: mapOf(name, 'rw') })] } } });
    expect(keys.get('acme')?.get('app')?.ceiling).toEqual([{ pattern: [name], permissions: 3 }]);
    for (const letters of ['x', 5, null]) {
      const tenants = { acme: { keys: [keyWith({ grants: mapOf(name, letters) })] } };
      expect([...new Set(await pathsOf({ tenants }))].toString()).toMatch(/^tenants\.acme\.keys\.0\.grants/);
    }
  });

  it('is taken as a kid', async () => {
    const { keys } = await loadConfig({ tenants: { acme: { keys: [keyWith({ kid: name })] } } });
    expect([...(keys.get('acme')?.keys() ?? [])]).toEqual([name]);
  });

  it('is taken as a tenant, or refused aloud', async () => {
    const tenants = mapOf(name, { keys: [keyWith()], limits: { connections: 7 } });
    if (LEFT_OUT.includes(name)) {
      expect(await pathsOf({ tenants })).toEqual([`tenants.${name}`]);
      return;
    }
    const { config, keys } = await loadConfig({ tenants });
    expect(Object.entries(config.tenants).map(([tenant, { limits }]) => [tenant, limits.connections])).toEqual([
      [name, 7],
    ]);
    expect([...keys.keys()]).toEqual([name]);
  });

  it('is refused as a setting, wherever it stands', async () => {
    const value = { port: 1, maxFrameBytes: 1024 };
    expect(await pathsOf({ ...configWith(), ...mapOf(name, value) })).toEqual([name]);
    expect(await pathsOf(configWith({ listen: mapOf(name, value) }))).toEqual([`listen.${name}`]);
    expect(await pathsOf(configWith({ limits: mapOf(name, value) }))).toEqual([`limits.${name}`]);
    const tenants = { acme: { keys: [{ ...keyWith(), ...mapOf(name, value) }], ...mapOf(name, value) } };
    expect(await pathsOf({ tenants })).toContain(`tenants.acme.${name}`);
  });

  it('is refused in the environment', async () => {
    const variables = [`MAYFLY_${name.toUpperCase()}`, `MAYFLY_LIMITS_${name.toUpperCase()}`, `MAYFLY_${name}`];
    for (const variable of variables) expect(await pathsOf(configWith(), { [variable]: '1' })).toEqual([variable]);
  });
});

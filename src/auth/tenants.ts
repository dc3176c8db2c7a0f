import type { JWK } from 'jose';
import { type Operation, parseGrant } from '../core/grants.ts';
import { ConfigError, type Problem } from '../errors.ts';
import { algorithmOf, importKey, type TenantKey } from './keys.ts';

/** A key as the configuration names it; its JWK and grants are not yet trusted. */
export interface KeyConfig {
  readonly kid: string;
  readonly jwk: JWK;
  readonly grants: Readonly<Record<string, unknown>>;
  readonly ops?: readonly Operation[] | undefined;
}

/** The keys of each tenant, by tenant and kid. */
export type KeyRing = ReadonlyMap<string, ReadonlyMap<string, TenantKey>>;

/** Imports every key of every tenant; undefined stands for one whose shape was found wrong already. Throws one ConfigError that lists all that are not usable; secrets are never quoted. */
export async function loadKeyRing(
  tenants: Readonly<Record<string, { keys: readonly (KeyConfig | undefined)[] }>>,
): Promise<KeyRing> {
  const problems: Problem[] = [];
  const ring = new Map<string, ReadonlyMap<string, TenantKey>>();
  for (const [tenant, { keys }] of Object.entries(tenants)) {
    const byKid = new Map<string, TenantKey>();
    for (const [i, config] of keys.entries()) {
      if (config === undefined) continue;
      const path = `tenants.${tenant}.keys.${i}`;
      if (byKid.has(config.kid))
        problems.push({ path: `${path}.kid`, message: 'is used by an earlier key of this tenant' });
      const key = await loadKey(config, path, problems);
      if (key !== undefined) byKid.set(key.kid, key);
    }
    ring.set(tenant, byKid);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return ring;
}

/** A warning for each key that is there before: whoever signs with it may name either tenant, or the kid with the wider ceiling. */
export function sharedKeys(ring: KeyRing): Problem[] {
  const warnings: Problem[] = [];
  const owners = new Map<string, string>();
  for (const [tenant, keys] of ring) {
    for (const { kid, thumbprint } of keys.values()) {
      const owner = owners.get(thumbprint);
      const whose =
        owner === tenant
          ? 'of this tenant: a token may name either, so the wider ceiling holds for both'
          : `of the tenant ${owner}, whose tokens it can sign too`;
      if (owner === undefined) owners.set(thumbprint, tenant);
      else warnings.push({ path: `tenants.${tenant}.keys`, message: `${kid} is the same key as another ${whose}` });
    }
  }
  return warnings;
}

async function loadKey(config: KeyConfig, path: string, problems: Problem[]): Promise<TenantKey | undefined> {
  const ceiling = Object.entries(config.grants).flatMap(([text, letters], i) => {
    const grant = parseGrant(text, letters);
    if (typeof grant !== 'string') return [grant];
    problems.push({ path: `${path}.grants`, message: `entry ${i + 1} ${grant}` });
    return [];
  });
  const kind = algorithmOf(config.jwk);
  if (typeof kind === 'string') {
    problems.push({ path: `${path}.jwk`, message: kind });
    return undefined;
  }
  try {
    const imported = await importKey(config.jwk, kind.algorithm);
    return { kid: config.kid, algorithm: kind.algorithm, ...imported, ceiling, ops: config.ops ?? [] };
  } catch {
    problems.push({
      path: `${path}.jwk`,
      message: 'is not a usable key: check that its numbers are base64url and belong together',
    });
    return undefined;
  }
}

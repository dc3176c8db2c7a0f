import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startRelay } from './relay-process.ts';
import { makeTenant } from './tenant.ts';

/** A started Mayfly relay and a token it takes. */
export interface MayflyRelay {
  readonly url: string;
  readonly pid: number;
  readonly token: string;
  stop(): Promise<void>;
}

/** Starts the built Mayfly relay, by default this one, with a configuration of its own, which is gone when this returns. */
export async function startMayfly(checkout = pathOf('../..')): Promise<MayflyRelay> {
  const { config, token } = await makeTenant();
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-bench-'));
  try {
    const file = join(folder, 'mayfly.json');
    await writeFile(file, JSON.stringify(known(config, await schemaOf(checkout))));
    return { token, ...(await startRelay([join(checkout, 'dist/cli/main.js'), 'serve', '--config', file])) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Starts the relay to compare with. */
export function startBare() {
  return startRelay(['--import', 'tsx', pathOf('../bare-relay.ts')]);
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
}

async function schemaOf(checkout: string): Promise<Schema> {
  return JSON.parse(await readFile(join(checkout, 'config.schema.json'), 'utf8')) as Schema;
}

/** A configuration without the settings that a build does not know. */
function known(config: unknown, { properties, additionalProperties }: Schema): unknown {
  if (properties === undefined && typeof additionalProperties !== 'object') return config;
  if (typeof config !== 'object' || config === null) return config;
  return Object.fromEntries(
    Object.entries(config).flatMap(([name, value]) => {
      const schema = properties?.[name] ?? additionalProperties;
      return typeof schema === 'object' ? [[name, known(value, schema)]] : [];
    }),
  );
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

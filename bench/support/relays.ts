import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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
    await writeFile(file, JSON.stringify(config));
    return { token, ...(await startRelay([join(checkout, 'dist/cli/main.js'), 'serve', '--config', file])) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Starts the relay to compare with. */
export function startBare() {
  return startRelay(['--import', 'tsx', pathOf('../bare-relay.ts')]);
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RelayProcess, startRelay } from '../support/relay-process.ts';
import { makeTenant } from '../support/tenant.ts';

const MAIN = new URL('../../dist/cli/main.js', import.meta.url).pathname;

/** Relays of one configuration, which can be started at one address again and again. */
export interface Nodes {
  readonly token: string;
  /** Starts one at these ports of loopback. */
  start(ports: Ports): Promise<RelayProcess>;
  remove(): Promise<void>;
}

/** Where a node listens, and for whom its admin listener answers. */
export interface Ports {
  readonly port: number;
  readonly adminPort: number;
}

/** Makes a tenant and its configuration; `shared` lets a successor listen beside its predecessor. */
export async function makeNodes({ shared }: { readonly shared: boolean }): Promise<Nodes> {
  const { config, token } = await makeTenant();
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-bench-'));
  const { listen, admin, ...rest } = config as { listen: object; admin: object };
  return {
    token,
    async start({ port, adminPort }) {
      const file = join(folder, `${port}.json`);
      await writeFile(
        file,
        JSON.stringify({ ...rest, listen: { ...listen, port, shared }, admin: { ...admin, port: adminPort } }),
      );
      return startRelay([MAIN, 'serve', '--config', file]);
    },
    remove: () => rm(folder, { recursive: true }),
  };
}

/** Two ports of loopback that nobody listens on. */
export async function freePorts(): Promise<Ports> {
  const [port, adminPort] = await Promise.all([freePort(), freePort()]);
  return { port, adminPort };
}

/** A port of loopback that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject()));
    });
  });
}

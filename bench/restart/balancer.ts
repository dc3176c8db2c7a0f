import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, type Ports } from './nodes.ts';

/** A load balancer in front of nodes. */
export interface Balancer {
  readonly url: string;
  stop(): Promise<void>;
}

/** Whether haproxy is there. */
export function hasBalancer(): boolean {
  return spawnSync('haproxy', ['-v']).status === 0;
}

/** Starts haproxy in front of these nodes, which it asks for `/readyz` twice a second. The configuration is that of docs/OPERATIONS.md. */
export async function startBalancer(nodes: readonly Ports[]): Promise<Balancer> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-bench-'));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, configFor(port, nodes));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  return {
    url: `ws://127.0.0.1:${port}`,
    async stop() {
      const exited = once(child, 'exit');
      kill();
      await exited;
      process.off('exit', kill);
      await rm(folder, { recursive: true });
    },
  };
}

function configFor(port: number, nodes: readonly Ports[]): string {
  const servers = nodes.map(
    (node, i) => `  server node${i} 127.0.0.1:${node.port} check port ${node.adminPort} inter 500ms fall 2 rise 1`,
  );
  return `
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
  option redispatch
  retries 3
  retry-on conn-failure 503
frontend relay
  bind 127.0.0.1:${port}
  default_backend nodes
backend nodes
  balance leastconn
  option httpchk
  http-check send meth GET uri /readyz ver HTTP/1.1 hdr Host relay
${servers.join('\n')}
`;
}

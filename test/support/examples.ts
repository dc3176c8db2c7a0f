import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Program } from './cli.ts';

/** Starts a program of `examples/` as `npx tsx` would, but as one process, which a signal ends. */
export function runExample(file: string, env: Readonly<Record<string, string>>): Program {
  return new Program(process.execPath, ['--import', 'tsx', `examples/${file}`], env);
}

/** An app's token endpoint on loopback: POST to any path answers what `mint` gives. */
export interface TokenEndpoint {
  readonly url: string;
  stop(): void;
}

/** Starts a token endpoint. */
export async function serveTokens(mint: () => Promise<string>): Promise<TokenEndpoint> {
  const server: Server = createServer(async (request, response) => {
    if (request.method === 'POST') response.end(await mint());
    else response.writeHead(405).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // not a pipe
  return { url: `http://127.0.0.1:${port}/token`, stop: () => server.close() };
}

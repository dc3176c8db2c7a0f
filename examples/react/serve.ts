// Serves app.tsx on loopback, with a token endpoint: npx tsx examples/react/serve.ts
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { freshToken, relayUrl } from '../environment.ts';

const PAGE = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Mayfly in React</title>
  <div id="root" data-relay="${relayUrl}"></div>
  <script type="module" src="/app.js"></script>
</html>
`;

const { outputFiles } = await build({
  entryPoints: [fileURLToPath(new URL('app.tsx', import.meta.url))],
  bundle: true,
  format: 'esm',
  jsx: 'automatic',
  write: false,
});
const script = outputFiles[0]?.text;

const server = createServer((request, response) => {
  response.setHeader('Cache-Control', 'no-store');
  switch (`${request.method} ${request.url}`) {
    case 'GET /':
      response.setHeader('Content-Type', 'text/html').end(PAGE);
      return;
    case 'GET /app.js':
      response.setHeader('Content-Type', 'text/javascript').end(script);
      return;
    case 'POST /mayfly-token': // a real one checks the session first: see token-server/
      response.setHeader('Content-Type', 'text/plain');
      freshToken().then(
        (token) => response.end(token),
        () => response.writeHead(502).end(),
      );
      return;
    default:
      response.writeHead(404).end();
  }
});
server.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo; // not a pipe
  console.log(`open http://127.0.0.1:${port}/ and, for company, the address it then has in a second tab`);
});

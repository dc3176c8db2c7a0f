// The tenant's own token endpoint, in Express: SIGNING_KEY_FILE=local/app.jwk npx tsx examples/token-server/express.ts
import type { AddressInfo } from 'node:net';
import express from 'express';
import { userOf } from './session.ts';
import { signToken } from './sign.ts';

const app = express();

app.post('/mayfly-token', async (request, response) => {
  response.set('Cache-Control', 'no-store').type('text/plain');
  const user = userOf(request.headers.cookie);
  if (user === undefined) response.status(401).send('no session');
  else response.send(await signToken(user));
});

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', (error) => {
  if (error) throw error;
  const { port } = server.address() as AddressInfo; // not a pipe
  console.log(`POST http://127.0.0.1:${port}/mayfly-token`);
});

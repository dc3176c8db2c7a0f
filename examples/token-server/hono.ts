// The tenant's own token endpoint, in Hono: SIGNING_KEY_FILE=local/app.jwk npx tsx examples/token-server/hono.ts
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { userOf } from './session.ts';
import { signToken } from './sign.ts';

const app = new Hono();

app.post('/mayfly-token', async (context) => {
  context.header('Cache-Control', 'no-store');
  const user = userOf(context.req.header('Cookie'));
  return user === undefined ? context.text('no session', 401) : context.text(await signToken(user));
});

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT ?? 3000) }, ({ port }) => {
  console.log(`POST http://127.0.0.1:${port}/mayfly-token`);
});

import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeWorkplace, mayfly, type Program, serve, type Workplace } from '../../support/cli.ts';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** A request with any headers, Host among them. */
function ask(url: string, method: string, headers: Readonly<Record<string, string>> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

describe('a development relay', () => {
  let relay: Program;
  let origin: string;
  beforeAll(async () => {
    relay = mayfly(['serve'], { MAYFLY_LISTEN_PORT: '0', MAYFLY_ADMIN_PORT: '0', MAYFLY_LIMITS_DRAIN_TIMEOUT_MS: '0' });
    const [, url = ''] = await relay.output(/demo +(http:\S+)\//);
    origin = url;
  });
  afterAll(() => relay.stop());

  const token = (headers: Readonly<Record<string, string>> = {}, body = 'guest-of-a-test') =>
    ask(`${origin}/demo/token`, 'POST', headers, body);

  it('serves the page and its files under a policy that lets them use their own origin alone', async () => {
    const page = await ask(`${origin}/`, 'GET');
    expect(page).toMatchObject({ status: 200, headers: { 'content-type': 'text/html; charset=utf-8' } });
    const policy = String(page.headers['content-security-policy']).split('; ');
    expect(policy).toEqual(
      expect.arrayContaining([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        `connect-src 'self' ${origin.replace('http', 'ws')}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
      ]),
    );
    expect(page.headers).toMatchObject({
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
    expect(files.length).toBe(3);
    for (const path of files) expect((await ask(`${origin}${path}`, 'GET')).status).toBe(200);
    expect(page.text).not.toMatch(/https?:\/\//);
  });

  it('answers HEAD as GET, without the body, and refuses other methods', async () => {
    const get = await ask(`${origin}/`, 'GET');
    const head = await ask(`${origin}/`, 'HEAD');
    expect(head).toMatchObject({ status: 200, text: '' });
    expect(head.headers['content-length']).toBe(String(Buffer.byteLength(get.text)));
    expect(await ask(`${origin}/`, 'POST')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await ask(`${origin}/demo/main.js`, 'PUT')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(await ask(`${origin}/?x=1`, 'GET')).toMatchObject({ status: 400 });
  });

  it('gives its page a token of an hour for a guest', async () => {
    const answer = await token({ origin, 'sec-fetch-site': 'same-origin' });
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
    });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    const claims = JSON.parse(Buffer.from(answer.text.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      number
    >;
    expect(claims).toMatchObject({ iss: 'demo', sub: 'guest-guest-of-a-test', can: { '>': 'rwp' } });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3600);
    expect((await token()).text).not.toBe('');
  });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ['a name that a stranger may have pointed here', { host: 'rebound.example' }],
    ['a name that begins like a good one', { host: 'localhost.example' }],
    ['an address that is not loopback', { host: '10.0.0.1' }],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another origin of the same site', { 'sec-fetch-site': 'same-site' }],
    ['an address bar', { 'sec-fetch-site': 'none' }],
    ['another origin', { origin: 'http://localhost:1' }],
    ['no origin that has a name', { origin: 'null' }],
  ])('gives no token to %s', async (_who, headers) => {
    const answer = await token(headers);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'forbidden' });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('serves its page under loopback names only', async () => {
    const { port } = new URL(origin);
    for (const host of [`localhost:${port}`, `LOCALHOST:${port}`, `[::1]:${port}`, '127.0.0.1'])
      expect((await ask(`${origin}/`, 'GET', { host })).status).toBe(200);
    for (const host of ['rebound.example', `rebound.example:${port}`, '127.0.0.1.example'])
      expect((await ask(`${origin}/`, 'GET', { host })).status, host).toBe(403);
  });

  it('gives no token for what is no guest, nor by another method', async () => {
    for (const guest of ['', 'short', 'with a space', 'x'.repeat(65)])
      expect([400, 413]).toContain((await token({}, guest)).status);
    expect(await ask(`${origin}/demo/token`, 'GET')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(await ask(`${origin}/demo/token`, 'OPTIONS')).toMatchObject({ status: 405 });
    expect((await ask(`${origin}/demo/token?x`, 'POST')).status).toBe(400);
  });
});

describe('a relay with a configuration', () => {
  let workplace: Workplace;
  beforeAll(async () => {
    workplace = await makeWorkplace();
  });
  afterAll(() => workplace.remove());

  it('has its plain page, no demo, and gives tokens to nobody', async () => {
    const relay = await serve(workplace);
    const origin = relay.url.replace(/^ws/, 'http');
    const page = await ask(`${origin}/`, 'GET');
    expect(page.status).toBe(200);
    expect(page.text).not.toContain('<script');
    for (const path of ['/demo/token', '/demo/main.js', '/demo/', '/demo'])
      for (const method of ['GET', 'POST'])
        expect((await ask(`${origin}${path}`, method)).status, `${method} ${path}`).toBe(404);
    await relay.program.stop();
  });
});

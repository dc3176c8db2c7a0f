import { type Refusal, refusal } from '../protocol/codes.ts';
import { faultOf, type Logger } from '../telemetry/logger.ts';
import { Exchange, hasQuery } from './exchange.ts';
import type { HttpRequest, HttpResponse, TemplatedApp } from './uws.ts';

/** A file as it is served. */
export interface SiteFile {
  /** Its media type, with the charset. */
  readonly type: string;
  readonly body: string;
}

/** Pages for development, in place of the plain page at `/`. Trusts everybody on this machine: only a relay on loopback may have one. */
export interface Site {
  /** By path; `/` is the page. */
  readonly files: ReadonlyMap<string, SiteFile>;
  /** Mints a short-lived token for a guest, whose name was checked by `isGuest`. Promises nothing about how soon. */
  readonly token: (guest: string) => Promise<string>;
}

/** What the site's routes need of the relay. */
export interface SitePorts {
  readonly isTls: boolean;
  readonly refused: (status: number) => void;
  readonly logger: Logger;
}

const TOKEN_PATH = '/demo/token';
const MAX_GUEST_BYTES = 64;
const NOT_LOOPBACK = refusal('forbidden', 'this page answers under a loopback name only, such as localhost');
const CROSS_SITE = refusal('forbidden', 'this path is for its own page');
const BAD_GUEST = refusal('bad_body', 'send the guest: 8 to 64 letters, digits, - or _');
const NO_QUERY = refusal('token_in_url', 'the URL takes no query');

/** Registers the site's files (GET, HEAD) and `POST /demo/token`. */
export function addSite(app: TemplatedApp, site: Site, { isTls, refused, logger }: SitePorts): void {
  function refuse(exchange: Exchange, why: Refusal, headers?: Readonly<Record<string, string>>): void {
    refused(why.status);
    exchange.refuse(why, headers);
  }

  async function mint(exchange: Exchange): Promise<void> {
    const body = await exchange.receiveBody(MAX_GUEST_BYTES).read();
    if ('status' in body) return refuse(exchange, body);
    const guest = Buffer.from(body).toString();
    if (!isGuest(guest)) return refuse(exchange, BAD_GUEST);
    exchange.send(200, await site.token(guest), { 'Content-Type': 'text/plain; charset=utf-8' });
  }

  function allow(path: string, methods: string): void {
    app.any(path, (response, request) =>
      refuse(new Exchange(response, request), refusal('method_not_allowed', `this path takes ${methods}`), {
        Allow: methods,
      }),
    );
  }

  for (const [path, { type, body }] of site.files) {
    const serve = (response: HttpResponse, request: HttpRequest): void => {
      const exchange = new Exchange(response, request);
      const host = request.getHeader('host');
      const why = exchange.malformed ?? refusalFor(request);
      if (why !== null) refuse(exchange, why);
      else exchange.send(200, body, { 'Content-Type': type, ...pageHeaders(`${isTls ? 'wss' : 'ws'}://${host}`) });
    };
    app.get(path, serve).head(path, serve);
    allow(path, 'GET, HEAD');
  }

  app.post(TOKEN_PATH, (response, request) => {
    const exchange = new Exchange(response, request);
    const why = exchange.malformed ?? refusalFor(request) ?? crossSite(request, isTls ? 'https' : 'http');
    if (why !== null) refuse(exchange, why);
    else
      mint(exchange).catch((error: unknown) => {
        logger.error(faultOf(error), 'a token for the demo failed');
        refuse(exchange, refusal('internal_error', 'a fault of the relay'));
      });
  });
  allow(TOKEN_PATH, 'POST');
}

function refusalFor(request: HttpRequest): Refusal | null {
  if (hasQuery(request)) return NO_QUERY;
  return isLoopback(request.getHeader('host')) ? null : NOT_LOOPBACK;
}

/** Browsers say where a request comes from (Fetch Metadata, and Origin with every POST); other programs say nothing. */
function crossSite(request: HttpRequest, scheme: string): Refusal | null {
  const site = request.getHeader('sec-fetch-site');
  const origin = request.getHeader('origin');
  const isOwn =
    (site === '' || site === 'same-origin') && (origin === '' || origin === `${scheme}://${request.getHeader('host')}`);
  return isOwn ? null : CROSS_SITE;
}

/** Whether a Host header names this machine itself; any other name may be a stranger's that resolves to it (DNS rebinding). */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host);
}

function isGuest(text: string): boolean {
  return /^[\w-]{8,64}$/.test(text);
}

/** Lets the page use its own files and the relay's WebSocket, and nothing else. Older browsers do not take `'self'` for a WebSocket. */
function pageHeaders(webSocketOrigin: string): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    `connect-src 'self' ${webSocketOrigin}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), clipboard-write=(self)',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}

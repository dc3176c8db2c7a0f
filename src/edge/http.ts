import { permissionsFor } from '../core/authorize.ts';
import { Permission, type Rules, type VerifiedToken } from '../core/grants.ts';
import type { Router } from '../core/router.ts';
import type { Session } from '../core/session.ts';
import { REVOKED, type Sessions } from '../core/sessions.ts';
import type { Slices } from '../core/slices.ts';
import type { Tenant } from '../core/tenant.ts';
import type { TokenTimes } from '../core/token-times.ts';
import type { Turn } from '../core/turn.ts';
import { isChannelName } from '../protocol/channel.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { messageBytes } from '../protocol/message.ts';
import { faultOf, type Logger } from '../telemetry/logger.ts';
import type { Door } from './door.ts';
import { Exchange, hasQuery } from './exchange.ts';
import { PAGE, PAGE_HEADERS } from './page.ts';
import type { Peers } from './peers.ts';
import { readRevocation } from './revocation-body.ts';
import { addSite, type Site } from './site.ts';
import type { HttpRequest, HttpResponse, TemplatedApp } from './uws.ts';

/** What the HTTP routes of the public listener need. */
export interface HttpPorts {
  readonly door: Door;
  readonly router: Router;
  readonly sessions: Sessions;
  readonly turn: Turn;
  readonly slices: Slices;
  readonly peers: Peers;
  readonly maxFrameBytes: number;
  readonly times: TokenTimes;
  readonly corsOrigins: () => readonly string[];
  /** Why no request is taken at the moment, if so. */
  readonly busy: () => Refusal | null;
  readonly refused: (status: number) => void;
  readonly logger: Logger;
  readonly isTls: boolean;
  /** What a development relay serves in place of the plain page. */
  readonly site: Site | undefined;
}

const PUBLISH_PATH = '/v1/channels/:name/messages';
const REVOCATIONS_PATH = '/v1/revocations';
const PREFLIGHT_HEADERS = {
  'Access-Control-Allow-Methods': 'POST',
  'Access-Control-Allow-Headers': 'authorization, content-type, mayfly-envelope',
  'Access-Control-Max-Age': '600',
} as const;
const MAX_REVOCATION_BYTES = 4096;
const NO_QUERY = refusal('token_in_url', 'the URL takes no query: send the token in HELLO or in Authorization');
const UPGRADE_REQUIRED = refusal('upgrade_required', 'this path is for WebSockets');
const TOKEN_MISSING = refusal('token_missing', 'a token is needed');
const FORBIDDEN = refusal('forbidden', 'the token does not permit this');
const BAD_CHANNEL = refusal('bad_channel', 'not a channel name, or reserved');
const BAD_ENVELOPE = refusal('bad_envelope', 'Mayfly-Envelope must be unpadded base64url');
const TOO_LARGE = refusal('frame_too_large', 'envelope and body make a frame over maxFrameBytes');

/** Whose request it is: its token, and the tenant and rules that the token has at this moment. */
interface Authorized {
  readonly token: VerifiedToken;
  readonly tenant: Tenant;
  readonly rules: Rules;
}

/** What a path takes: a media type, so many bytes, and why a token does not permit it, if so. */
interface Expected {
  readonly type: string;
  readonly maxBytes: number;
  readonly permits: (rules: Rules) => Refusal | null;
  /** Serves at once, or when it is the tenant's turn. */
  readonly inTurn: (tenant: Tenant, act: () => Promise<void> | void) => Promise<void> | void;
}

/** Does what was asked, with a body that is good until that is done. */
type Serve = (by: Authorized, body: Uint8Array) => Promise<void> | void;

/** Registers every route of the public listener but the WebSocket's. */
export function addRoutes(app: TemplatedApp, ports: HttpPorts): void {
  const exchangeFor = (response: HttpResponse, request: HttpRequest): Exchange =>
    new Exchange(response, request, ports.corsOrigins());

  function refuse(exchange: Exchange, refused: Refusal, headers?: Readonly<Record<string, string>>): void {
    ports.refused(refused.status);
    exchange.refuse(refused, headers);
  }

  /** The rules of the request's token at this moment. */
  async function authorized(exchange: Exchange): Promise<Authorized | Refusal> {
    if (exchange.bearer === null) return TOKEN_MISSING;
    const verified = await ports.door.verify(exchange.bearer);
    if ('status' in verified) return verified;
    const admitted = ports.sessions.admit(verified);
    return 'status' in admitted ? admitted : { ...admitted, token: verified };
  }

  /**
   * Serves a request with its body, once its token is known to permit it (`permits`), and again after the wait for it: the rules are those
   * of that moment. First who asks, then what. The body is overwritten when it was served or refused.
   */
  async function receive(
    exchange: Exchange,
    { type, maxBytes, permits, inTurn }: Expected,
    serve: Serve,
  ): Promise<void> {
    const receiving = exchange.receiveBody(maxBytes);
    const asking = await authorized(exchange);
    if ('status' in asking) return refuse(exchange, asking);
    const refused = permits(asking.rules);
    if (refused !== null) return refuse(exchange, refused);
    if (!exchange.hasContentType(type)) return refuse(exchange, refusal('unsupported_media_type', `send ${type}`));
    const body = await receiving.read();
    if ('status' in body) return refuse(exchange, body);
    try {
      await inTurn(asking.tenant, () => {
        const admitted = ports.sessions.admit(asking.token);
        const stillRefused = 'status' in admitted ? admitted : permits(admitted.rules);
        if (stillRefused !== null) return refuse(exchange, stillRefused);
        return 'status' in admitted ? undefined : serve({ ...admitted, token: asking.token }, body);
      });
    } finally {
      body.fill(0);
    }
  }

  function publish(exchange: Exchange, encodedName: string | undefined): Promise<void> {
    const name = decodeSegment(encodedName) ?? '';
    const segments = isChannelName(name) ? name.split('.') : [];
    const envelopeText = exchange.header('mayfly-envelope');
    const envelopeSize = sizeOfEnvelope(envelopeText);
    const publishing: Expected = {
      type: 'application/octet-stream',
      maxBytes: Math.max(0, ports.maxFrameBytes - messageBytes(envelopeSize ?? null, 0)),
      permits: (rules) => {
        if (segments.length === 0) return BAD_CHANNEL;
        if ((permissionsFor(rules, segments) & Permission.PUBLISH) === 0) return FORBIDDEN;
        return envelopeSize === undefined ? BAD_ENVELOPE : ports.busy();
      },
      inTurn: ({ share }, act) => ports.slices.inTurn(share, act),
    };
    return receive(exchange, publishing, ({ tenant, token }, body) => {
      if (messageBytes(envelopeSize ?? null, body.length) > ports.maxFrameBytes) return refuse(exchange, TOO_LARGE);
      if (exchange.isOver) return; // nobody would hear that it was published, and would publish it again
      const envelope = envelopeText === '' ? null : Buffer.from(envelopeText, 'base64url');
      ports.turn.open();
      const by = { tenant, sub: token.sub };
      const published = ports.router.publish(by, name, segments, { envelope, body });
      envelope?.fill(0);
      if ('status' in published) refuse(exchange, published);
      else exchange.json(202, published);
    });
  }

  /** Revokes, also when the relay is full or about to stop: that is when it is needed most. */
  function revoke(exchange: Exchange): Promise<void> {
    const revoking: Expected = {
      type: 'application/json',
      maxBytes: MAX_REVOCATION_BYTES,
      permits: (rules) => (rules.ops.includes('revoke') ? null : FORBIDDEN),
      inTurn: (_, act) => act(),
    };
    return receive(exchange, revoking, async ({ tenant }, body) => {
      ports.turn.open();
      const revocation = readRevocation(body, ports.turn.nowMs, ports.times);
      if ('status' in revocation) return refuse(exchange, revocation);
      const close = (session: Session): void => ports.peers.performAll([session], REVOKED);
      const withdrawn = await ports.sessions.revoke(tenant, revocation, close);
      if ('status' in withdrawn) return refuse(exchange, withdrawn);
      const { closed, detached } = withdrawn;
      exchange.json(200, { closed, detached, until: Math.ceil(revocation.untilMs / 1000) });
    });
  }

  /** Serves a path: no query string, and a fault of ours is a 500. What takes GET takes HEAD. */
  function on(
    method: 'get' | 'post',
    path: string,
    handle: (exchange: Exchange, request: HttpRequest) => Promise<void> | void,
  ): void {
    const serve = (response: HttpResponse, request: HttpRequest): void => {
      const exchange = exchangeFor(response, request);
      const malformed = exchange.malformed ?? (hasQuery(request) ? NO_QUERY : null);
      if (malformed !== null) {
        refuse(exchange, malformed);
        return;
      }
      const failed = (error: unknown): void => {
        ports.logger.error(faultOf(error), 'a request failed');
        refuse(exchange, refusal('internal_error', 'a fault of the relay'));
      };
      Promise.resolve(handle(exchange, request)).catch(failed);
    };
    app[method](path, serve);
    if (method === 'get') app.head(path, serve);
    app.any(path, (response, request) => {
      const Allow = method === 'get' ? 'GET, HEAD' : 'POST';
      refuse(exchangeFor(response, request), refusal('method_not_allowed', `this path takes ${Allow}`), { Allow });
    });
  }

  function preflight(path: string): void {
    app.options(path, (response, request) => exchangeFor(response, request).send(204, '', PREFLIGHT_HEADERS));
  }

  preflight(PUBLISH_PATH);
  preflight(REVOCATIONS_PATH);
  on('post', PUBLISH_PATH, (exchange, request) => publish(exchange, request.getParameter(0)));
  on('post', REVOCATIONS_PATH, revoke);
  on('get', '/v1/ws', (exchange) => refuse(exchange, UPGRADE_REQUIRED, { Upgrade: 'websocket' }));
  if (ports.site === undefined) on('get', '/', (exchange) => exchange.send(200, PAGE, PAGE_HEADERS));
  else addSite(app, ports.site, ports);
  app.any('/*', (response, request) => refuse(exchangeFor(response, request), refusal('not_found', 'no such path')));
}

function decodeSegment(encoded: string | undefined): string | undefined {
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** The length of an envelope; null when there is none, undefined when it is not unpadded base64url. */
function sizeOfEnvelope(text: string): { readonly length: number } | null | undefined {
  if (text === '') return null;
  const bytes = Buffer.from(text, 'base64url');
  const { length } = bytes;
  const isGood = bytes.toString('base64url') === text;
  bytes.fill(0);
  return isGood ? { length } : undefined;
}

import { permissionsFor } from '../core/authorize.ts';
import { Permission, type VerifiedToken } from '../core/grants.ts';
import type { Router } from '../core/router.ts';
import { REVOKED, type Sessions } from '../core/sessions.ts';
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
import type { HttpRequest, HttpResponse, TemplatedApp } from './uws.ts';

/** What the HTTP routes of the public listener need. */
export interface HttpPorts {
  readonly door: Door;
  readonly router: Router;
  readonly sessions: Sessions;
  readonly turn: Turn;
  readonly peers: Peers;
  readonly maxFrameBytes: number;
  readonly maxTokenTtlSeconds: number;
  readonly corsOrigins: readonly string[];
  readonly refused: (status: number) => void;
  readonly logger: Logger;
}

const MAX_REVOCATION_BYTES = 4096;
const UPGRADE_REQUIRED = refusal('upgrade_required', 'this path is for WebSockets');
const FORBIDDEN = refusal('forbidden', 'the token does not permit this');

/** Registers every route of the public listener but the WebSocket's. */
export function addRoutes(app: TemplatedApp, ports: HttpPorts): void {
  const exchangeFor = (response: HttpResponse, request: HttpRequest): Exchange =>
    new Exchange(response, request, ports.corsOrigins);

  function refuse(exchange: Exchange, refused: Refusal, headers?: Readonly<Record<string, string>>): void {
    ports.refused(refused.status);
    exchange.refuse(refused, headers);
  }

  /** The refusals every POST shares, then the body and the token's rules as they are once both are here. */
  async function authorized(exchange: Exchange, type: string, maxBytes: number) {
    if (!exchange.hasContentType(type)) return refusal('unsupported_media_type', `send ${type}`);
    const reading = exchange.readBody(maxBytes);
    const verified: VerifiedToken | Refusal = await ports.door.verify(exchange.bearer);
    if ('status' in verified) return verified;
    const body = await reading;
    if ('status' in body) return body;
    const admitted = ports.sessions.admit(verified);
    return 'status' in admitted ? admitted : { ...admitted, body };
  }

  async function publish(
    exchange: Exchange,
    name: string | undefined,
    envelopeText: string,
    hasQuery: boolean,
  ): Promise<void> {
    if (hasQuery)
      return refuse(exchange, refusal('token_in_url', 'the URL takes no query: send the token in Authorization'));
    if (name === undefined || !isChannelName(name))
      return refuse(exchange, refusal('bad_channel', 'not a channel name, or reserved'));
    const envelope = envelopeText === '' ? null : readEnvelope(envelopeText);
    if (envelope === undefined)
      return refuse(exchange, refusal('bad_envelope', 'Mayfly-Envelope must be unpadded base64url'));
    const room = ports.maxFrameBytes - messageBytes(envelope, 0);
    const request = await authorized(exchange, 'application/octet-stream', Math.max(0, room));
    if ('status' in request) return refuse(exchange, request);
    if (messageBytes(envelope, request.body.length) > ports.maxFrameBytes) {
      return refuse(exchange, refusal('frame_too_large', 'envelope and body make a frame over maxFrameBytes'));
    }
    const segments = name.split('.');
    if ((permissionsFor(request.rules, segments) & Permission.PUBLISH) === 0) return refuse(exchange, FORBIDDEN);
    ports.turn.open();
    const published = ports.router.publish(request.tenant, name, segments, { envelope, body: request.body });
    if ('status' in published) return refuse(exchange, published);
    exchange.json(202, published);
  }

  async function revoke(exchange: Exchange): Promise<void> {
    const request = await authorized(exchange, 'application/json', MAX_REVOCATION_BYTES);
    if ('status' in request) return refuse(exchange, request);
    if (!request.rules.ops.includes('revoke')) return refuse(exchange, FORBIDDEN);
    ports.turn.open();
    const revocation = readRevocation(request.body, ports.turn.nowMs, ports.maxTokenTtlSeconds);
    if ('status' in revocation) return refuse(exchange, revocation);
    const { closing, detached } = ports.sessions.revoke(request.tenant, revocation);
    ports.peers.performAll(closing, REVOKED);
    exchange.json(200, { closed: closing.length, detached, until: Math.ceil(revocation.untilMs / 1000) });
  }

  function preflight(response: HttpResponse, request: HttpRequest): void {
    exchangeFor(response, request).send(204, '', {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': 'authorization, content-type, mayfly-envelope',
      'Access-Control-Max-Age': '600',
    });
  }

  /** Answers 500 when serving a request failed by a fault of ours. */
  function serve(exchange: Exchange, serving: Promise<void>): void {
    serving.catch((error: unknown) => {
      ports.logger.error(faultOf(error), 'a request failed');
      refuse(exchange, refusal('internal_error', 'a fault of the relay'));
    });
  }

  const PUBLISH_PATH = '/v1/channels/:name/messages';
  app.post(PUBLISH_PATH, (response, request) => {
    const exchange = exchangeFor(response, request);
    const name = decodeSegment(request.getParameter(0));
    serve(exchange, publish(exchange, name, request.getHeader('mayfly-envelope'), hasQuery(request)));
  });
  app.post('/v1/revocations', (response, request) => {
    const exchange = exchangeFor(response, request);
    serve(exchange, revoke(exchange));
  });
  app.get('/v1/ws', (response, request) => {
    refuse(exchangeFor(response, request), UPGRADE_REQUIRED, { Upgrade: 'websocket' });
  });
  app.get('/', (response, request) => exchangeFor(response, request).send(200, PAGE, PAGE_HEADERS));
  for (const [path, methods] of [
    [PUBLISH_PATH, 'POST'],
    ['/v1/revocations', 'POST'],
    ['/', 'GET'],
    ['/v1/ws', 'GET'],
  ] as const) {
    if (methods === 'POST') app.options(path, preflight);
    app.any(path, (response, request) => {
      refuse(exchangeFor(response, request), refusal('method_not_allowed', `this path takes ${methods}`), {
        Allow: methods,
      });
    });
  }
  app.any('/*', (response, request) => refuse(exchangeFor(response, request), refusal('not_found', 'no such path')));
}

function decodeSegment(encoded: string | undefined): string | undefined {
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

function readEnvelope(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

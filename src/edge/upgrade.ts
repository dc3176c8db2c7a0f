import { type Refusal, refusal } from '../protocol/codes.ts';
import { SUBPROTOCOL } from '../protocol/frames.ts';
import type { Door } from './door.ts';
import { Exchange, hasQuery } from './exchange.ts';
import { Peer, type UserData } from './peer.ts';
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from './uws.ts';

/** What the upgrade handler needs of the relay. */
export interface UpgradePorts {
  readonly door: Door;
  readonly helloTimeoutMs: number;
  readonly nowMs: () => number;
  /** Why no connection is taken at the moment, if so. */
  readonly busy: () => Refusal | null;
  readonly refused: (status: number) => void;
  /** Takes note of a fault of ours. */
  readonly failed: (error: unknown) => void;
}

/** The upgrade handler of one app: a flat list of refusals, then the WebSocket. */
export function upgradeHandler(app: TemplatedApp, ports: UpgradePorts) {
  return (response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void => {
    const exchange = new Exchange(response, request, []);
    const key = request.getHeader('sec-websocket-key');
    const extensions = request.getHeader('sec-websocket-extensions');
    const refuse = (refused: Refusal): void => {
      ports.refused(refused.status);
      exchange.refuse(refused);
    };
    const accept = (bearer: Peer['bearer']): void => {
      const busy = ports.busy();
      if (busy !== null) {
        refuse(busy);
        return;
      }
      const peer = new Peer(app, ports.nowMs() + ports.helloTimeoutMs, bearer);
      exchange.takeOver(() => response.upgrade<UserData>({ peer }, key, SUBPROTOCOL, extensions, context));
    };

    const refused = refusalFor(request);
    if (refused !== null) refuse(refused);
    else if (exchange.authorization === '') accept(null);
    else
      ports.door
        .verify(exchange.bearer)
        .then((verified) => ('status' in verified ? refuse(verified) : accept(verified)))
        .catch(ports.failed);
  };
}

function refusalFor(request: HttpRequest): Refusal | null {
  if (hasQuery(request))
    return refusal('token_in_url', 'the URL takes no query: send the token in HELLO or in Authorization');
  const offered = request.getHeader('sec-websocket-protocol').split(',');
  if (!offered.some((name) => name.trim() === SUBPROTOCOL))
    return refusal('subprotocol_required', `offer the subprotocol ${SUBPROTOCOL}`);
  return null;
}

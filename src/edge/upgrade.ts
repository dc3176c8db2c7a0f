import { type Refusal, refusal } from '../protocol/codes.ts';
import { SUBPROTOCOL } from '../protocol/frames.ts';
import type { Budget } from './budget.ts';
import type { Door } from './door.ts';
import { Exchange, hasQuery } from './exchange.ts';
import type { Lobby } from './lobby.ts';
import { Peer, type UserData } from './peer.ts';
import type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t } from './uws.ts';

/** RFC 6455, sections 4.1 and 4.2.2: the one version, and a key of 16 bytes in base64. */
const VERSION = '13';
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/;
const OTHER_VERSION = refusal('upgrade_required', 'Sec-WebSocket-Version must be 13');
const CROWDED = refusal('overloaded', 'too many connections wait for HELLO');
const BAD_KEY = refusal('bad_request', 'Sec-WebSocket-Key must be 16 bytes in base64');

/** What the upgrade handler needs of the relay. */
export interface UpgradePorts {
  readonly door: Door;
  readonly lobby: Lobby;
  readonly budget: Budget;
  readonly helloTimeoutMs: number;
  readonly runningMs: () => number;
  /** Why no connection is taken at the moment, if so. */
  readonly busy: () => Refusal | null;
  readonly refused: (status: number) => void;
  /** Ends a connection at once. */
  readonly drop: (peer: Peer) => void;
  /** Takes note of a fault of ours. */
  readonly failed: (error: unknown) => void;
}

/** The upgrade handler of one app: a flat list of refusals, then the WebSocket. */
export function upgradeHandler(app: TemplatedApp, ports: UpgradePorts) {
  return (response: HttpResponse, request: HttpRequest, context: us_socket_context_t): void => {
    const exchange = new Exchange(response, request);
    const prefix = ports.budget.prefixOf(response);
    const key = exchange.header('sec-websocket-key');
    const extensions = exchange.header('sec-websocket-extensions');
    const refuse = (refused: Refusal): void => {
      ports.refused(refused.status);
      exchange.refuse(refused, refused === OTHER_VERSION ? { 'Sec-WebSocket-Version': VERSION } : {});
    };
    const accept = (bearer: Peer['bearer']): void => {
      const busy = ports.busy();
      if (busy !== null) {
        refuse(busy);
        return;
      }
      const hall = ports.lobby.hallFor(app, context);
      const peer = new Peer(hall.app, ports.runningMs() + ports.helloTimeoutMs, bearer, prefix);
      if (bearer === null) {
        peer.place = ports.budget.greet(prefix, () => ports.drop(peer));
        if (peer.place === null) {
          refuse(CROWDED);
          return;
        }
      }
      exchange.takeOver(() => {
        response.upgrade<UserData>({ peer }, key, SUBPROTOCOL, extensions, hall.context);
        ports.lobby.upgraded();
      });
    };

    const refused = exchange.malformed ?? refusalFor(request, exchange);
    if (refused !== null) refuse(refused);
    else if (exchange.header('authorization') === '') accept(null);
    else
      ports.door
        .verify(exchange.bearer)
        .then((verified) => ('status' in verified ? refuse(verified) : accept(verified)))
        .catch(ports.failed);
  };
}

function refusalFor(request: HttpRequest, exchange: Exchange): Refusal | null {
  if (hasQuery(request))
    return refusal('token_in_url', 'the URL takes no query: send the token in HELLO or in Authorization');
  if (exchange.header('sec-websocket-version') !== VERSION) return OTHER_VERSION;
  if (!KEY.test(exchange.header('sec-websocket-key'))) return BAD_KEY;
  const offered = request.getHeader('sec-websocket-protocol').split(',');
  if (!offered.some((name) => name.trim() === SUBPROTOCOL))
    return refusal('subprotocol_required', `offer the subprotocol ${SUBPROTOCOL}`);
  return null;
}

import { addressOf } from './address.ts';
import type { BackoffOptions } from './backoff.ts';
import { MayflyError } from './errors.ts';
import { abortSignal, action, check, checkOptions, flag, number, object, other } from './options.ts';
import { Relay } from './relay.ts';
import { globalSocket, type SocketFactory } from './socket.ts';
import { isToken, type TokenSource } from './tokens.ts';

/** How to connect. */
export interface ConnectOptions {
  readonly token: TokenSource;
  /** Opens WebSockets; default the global one (in Node, that of the `ws` package). */
  readonly socket?: SocketFactory;
  readonly backoff?: BackoffOptions;
  /** Longest time to connect and be welcomed, each time; default 10,000. */
  readonly connectTimeoutMs?: number;
  /** How often a silent connection is asked for a sign of life; it is given up after twice that. Default 20,000. */
  readonly keepAliveMs?: number;
  /** Permits plain `ws:` to other machines, where everybody on the way reads the token. */
  readonly insecure?: true;
  /** Gives up connecting for the first time. */
  readonly signal?: AbortSignal;
}

const RULES = {
  token: other,
  socket: action,
  backoff: object,
  connectTimeoutMs: number(1),
  keepAliveMs: number(100),
  insecure: flag,
  signal: abortSignal,
};
/** What the SDK cannot do without; docs/CLIENT.md says where to get it. */
const NEEDED = ['AbortController', 'TextDecoder', 'TextEncoder'];
const BACKOFF_RULES = { firstMs: number(1), maxMs: number(1) };

/**
 * Connects to a relay: `connect('wss://relay.example', { token })`. From then on it stays connected by itself. Rejects with a MayflyError when
 * the first attempt fails: with the relay's code (`token_invalid`…), `token_failed`, `insecure_url`, `aborted`, or `connection_failed`; with
 * a TypeError for options that are none.
 */
export async function connect(url: string, options: ConnectOptions): Promise<Relay> {
  const {
    token,
    signal,
    insecure,
    socket = globalSocket,
    backoff = {},
    connectTimeoutMs = 10_000,
    keepAliveMs = 20_000,
  } = checkOptions('connect', options, RULES);
  checkOptions('connect: backoff', backoff, BACKOFF_RULES);
  check('connect: url', url, ['a string', (value) => typeof value === 'string']);
  if (typeof token !== 'function' && !isToken(token))
    throw new TypeError('connect: token: expected a token, or a function that gets one');
  for (const name of NEEDED)
    if (!(name in globalThis)) throw new MayflyError('unsupported_runtime', `this runtime has no ${name}`);
  const address = addressOf(url, insecure === true);
  const relay = new Relay({ url: address, token, socket, backoff, connectTimeoutMs, keepAliveMs });
  await relay.open(signal);
  return relay;
}

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
  const address = addressOf(url, insecure === true);
  const relay = new Relay({ url: address, token, socket, backoff, connectTimeoutMs, keepAliveMs });
  await relay.open(signal);
  return relay;
}

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

function addressOf(text: string, isInsecureFine: boolean): string {
  if (!URL.canParse(text)) throw new MayflyError('connection_failed', 'the URL cannot be read');
  const url = new URL(text);
  url.protocol = url.protocol.replace('http', 'ws');
  if (`${url.search}${url.username}${url.password}` !== '')
    throw new MayflyError('insecure_url', 'a token never goes in a URL');
  if (url.protocol !== 'wss:' && url.protocol !== 'ws:')
    throw new MayflyError('connection_failed', 'the URL of a relay begins with wss:');
  if (url.protocol === 'ws:' && !isInsecureFine && !LOOPBACK.test(url.hostname))
    throw new MayflyError('insecure_url', 'plain ws: shows the token to the network: use wss:');
  url.hash = '';
  return url.href;
}

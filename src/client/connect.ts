import { MayflyError } from './errors.ts';
import type { SocketFactory } from './link.ts';
import { type ConnectOptions, Relay } from './relay.ts';

/**
 * Connects to a relay: `connect('wss://relay.example', { token })`. From then on it stays connected by itself. Rejects with a MayflyError when
 * the first attempt fails: with the relay's code (`token_invalid`…), `token_failed`, `aborted`, or `connection_failed`.
 */
export async function connect(url: string, options: ConnectOptions): Promise<Relay> {
  const relay = new Relay(addressOf(url), options, options.socket ?? globalSocket);
  await relay.open(options.signal);
  return relay;
}

/** The WebSocket of the browser, and of Node 22 and newer. */
const globalSocket: SocketFactory = (url, protocol) => {
  const { WebSocket } = globalThis as unknown as {
    WebSocket?: new (url: string, protocol: string) => ReturnType<SocketFactory>;
  };
  if (WebSocket === undefined)
    throw new MayflyError('connection_failed', 'no global WebSocket: pass one as options.socket');
  return new WebSocket(url, protocol);
};

function addressOf(text: string): string {
  const url = new URL(text);
  if (url.protocol === 'https:') url.protocol = 'wss:';
  if (url.search !== '' || url.username !== '')
    throw new MayflyError('connection_failed', 'a token never goes in a URL');
  return url.href;
}

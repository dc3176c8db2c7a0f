import { WebSocket } from 'ws';
import { type ConnectOptions, connect as connectWith } from './connect.ts';
import type { Relay } from './relay.ts';
import type { SocketFactory, SocketLike } from './socket.ts';

export * from './index.ts';

/** `connect` for Node, where WebSockets come from the `ws` package. `ca` is a PEM certificate to trust instead of the system's. */
export async function connect(url: string, options: ConnectOptions & { readonly ca?: string }): Promise<Relay> {
  const { ca, socket = socketWith(ca), ...others } = options ?? {};
  if (ca !== undefined && !(typeof ca === 'string' && ca.includes('-----BEGIN')))
    throw new TypeError('connect: ca: expected a certificate as PEM text');
  return connectWith(url, typeof options === 'object' && options !== null ? { socket, ...others } : options);
}

/** A frame may have 16 MiB at most: docs/OPERATIONS.md, `limits.maxFrameBytes`. */
const MAX_MESSAGE_BYTES = 17 * 1024 * 1024;
/** How long a relay that does not answer a close can keep this process. */
const CLOSE_TIMEOUT_MS = 2000;

function socketWith(ca: string | undefined): SocketFactory {
  const options = {
    perMessageDeflate: false,
    maxPayload: MAX_MESSAGE_BYTES,
    closeTimeout: CLOSE_TIMEOUT_MS,
    ...(ca === undefined ? {} : { ca }),
  };
  return (url, protocol) => new WebSocket(url, protocol, options) as unknown as SocketLike; // its events have every field the SDK reads
}

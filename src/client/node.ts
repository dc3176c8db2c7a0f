import { WebSocket } from 'ws';
import { type ConnectOptions, connect as connectWith } from './connect.ts';
import type { Relay } from './relay.ts';
import type { SocketFactory, SocketLike } from './socket.ts';

export * from './index.ts';

/** `connect` for Node, where WebSockets come from the `ws` package. `ca` is a PEM certificate to trust instead of the system's. */
export function connect(url: string, options: ConnectOptions & { readonly ca?: string }): Promise<Relay> {
  return connectWith(url, { socket: socketWith(options.ca), ...options });
}

function socketWith(ca: string | undefined): SocketFactory {
  return (url, protocol) => {
    const socket = new WebSocket(url, protocol, { perMessageDeflate: false, ...(ca === undefined ? {} : { ca }) });
    return socket as unknown as SocketLike; // its events have every field the SDK reads
  };
}

import { MayflyError } from './errors.ts';

/** The part of the WebSocket interface the SDK uses; browsers' and that of the `ws` package both fit. */
export interface SocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly bufferedAmount: number;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
}

/** Opens a WebSocket with a subprotocol. */
export type SocketFactory = (url: string, protocol: string) => SocketLike;

/** `readyState` of a WebSocket that takes what is sent. */
export const OPEN = 1;

/** Closes a socket, whatever state it is in. */
export function shut(socket: SocketLike): void {
  try {
    socket.close(1000);
  } catch {
    // it is over as far as we are concerned
  }
}

/** Opens the WebSocket of the browser, or of Node 22 and newer. */
export const globalSocket: SocketFactory = (url, protocol) => {
  const { WebSocket } = globalThis as unknown as { WebSocket?: new (url: string, protocol: string) => SocketLike };
  if (WebSocket === undefined)
    throw new MayflyError('unsupported_runtime', 'this runtime has no WebSocket: give one with the option socket');
  return new WebSocket(url, protocol);
};

import type { SocketFactory, SocketLike } from '../client/index.ts';
import { type Frame, framesIn } from './frames.ts';

/** The WebSockets of one person, one after the other, with a copy of all that passes. */
export class Tap {
  readonly #onFrame: (frame: Frame) => void;
  #socket: WebSocket | undefined;

  /** `onFrame` is told each frame in either direction, ahead of the SDK where it comes in. */
  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** The SDK's option `socket`. */
  readonly open: SocketFactory = (url, protocol) => {
    const socket = new WebSocket(url, protocol);
    const send = socket.send.bind(socket);
    socket.send = (data) => {
      if (data instanceof Uint8Array) this.#tell(data);
      send(data);
    };
    socket.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer) this.#tell(new Uint8Array(data));
    });
    this.#socket = socket;
    return socket as SocketLike; // the SDK sets its own types of listeners
  };

  /** Closes the connection under the SDK's feet. */
  cut(): void {
    this.#socket?.close();
  }

  #tell(bytes: Uint8Array): void {
    for (const frame of framesIn(bytes)) this.#onFrame(frame);
  }
}

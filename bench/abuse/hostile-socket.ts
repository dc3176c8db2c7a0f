import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { encodeFrame, FrameType, SUBPROTOCOL, VERSION } from '../../src/protocol/index.ts';
import { clientFrame, Opcode } from '../load/web-socket-frames.ts';

/** Another address of loopback than that of the well-behaved: what an address may have is bounded. */
export const HOSTILE_ADDRESS = '127.0.0.2';

/** A connection of an attacker: it reads nothing but that something came, and never minds being refused. */
export class HostileSocket {
  readonly socket: Socket;
  /** Resolves when the connection is over, for whatever reason. */
  readonly closed: Promise<void>;

  constructor(url: string) {
    const { hostname, port } = new URL(url);
    this.socket = connect({ host: hostname, port: Number(port), localAddress: HOSTILE_ADDRESS, noDelay: true });
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  /** Asks for the WebSocket; resolves when something was answered, or the connection is over. */
  async upgrade(): Promise<void> {
    const lines = [
      'GET /v1/ws HTTP/1.1',
      'Host: relay',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    ];
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    await this.answer();
  }

  /** Opens the WebSocket and says HELLO. */
  async hello(token: string): Promise<void> {
    await this.upgrade();
    this.send(encodeFrame([FrameType.HELLO, VERSION, token]));
    await this.answer();
    this.socket.resume();
  }

  /** Sends frames as one WebSocket message. */
  send(...frames: readonly Uint8Array[]): void {
    this.socket.write(clientFrame(Opcode.BINARY, Buffer.concat(frames)));
  }

  /** Writes the same bytes as fast as they are taken, until the connection is over. */
  async flood(bytes: Buffer): Promise<void> {
    while (!this.socket.destroyed) {
      if (this.socket.write(bytes)) await new Promise((resolve) => setImmediate(resolve));
      else await this.#drained();
    }
  }

  /** Resolves at the next bytes, or at the end. */
  answer(): Promise<void> {
    return this.#once('data');
  }

  #drained(): Promise<void> {
    return this.#once('drain');
  }

  #once(event: 'data' | 'drain'): Promise<void> {
    if (this.socket.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.socket.off(event, done).off('close', done);
        resolve();
      };
      this.socket.on(event, done).on('close', done);
    });
  }
}

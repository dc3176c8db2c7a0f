import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { clientFrame, FrameReader, Opcode } from './web-socket-frames.ts';

/** One buffer for all sockets: each read is used up before the next one starts. */
const READ_BUFFER = Buffer.alloc(256 * 1024);
const OPEN_TIMEOUT_MS = 10_000;

/** Called for each binary message; the bytes are good until the call returns. */
export type MessageSink = (bytes: Buffer, start: number, end: number) => void;

/** A WebSocket client that costs a load generator little: one buffer, no copies, no events per message. */
export class RawSocket {
  /** When the bytes at hand were read, in ms of performance.now(). */
  readAtMs = 0;
  onMessage: MessageSink = () => {};
  /** Called when the socket ends without close() having been called, or when reading a message throws. */
  onFailure: (reason: string) => void = () => {};
  #head = '';
  #isOpen = false;
  #isClosed = false;
  #opened: () => void = () => {};
  readonly #socket: Socket;
  readonly #frames = new FrameReader((opcode, bytes, start, end) => this.#frame(opcode, bytes, start, end));

  private constructor(url: URL) {
    this.#socket = connect({
      host: url.hostname,
      port: Number(url.port),
      noDelay: true,
      onread: { buffer: READ_BUFFER, callback: (length) => this.#read(length) },
    });
    this.#socket.on('error', (error) => this.#fail(error.message));
    this.#socket.on('close', () => this.#fail('the relay ended the connection'));
  }

  /** Opens `target` (path and query) on a relay. Rejects unless the relay answers 101. */
  static open(relayUrl: string, target: string, protocol: string): Promise<RawSocket> {
    const url = new URL(relayUrl);
    return new Promise((resolve, reject) => {
      const socket = new RawSocket(url);
      const timer = setTimeout(() => socket.#fail('no answer to the upgrade in time'), OPEN_TIMEOUT_MS);
      socket.onFailure = (reason) => {
        clearTimeout(timer);
        socket.close();
        reject(new Error(reason));
      };
      socket.#opened = () => {
        clearTimeout(timer);
        resolve(socket);
      };
      socket.#socket.write(upgradeRequest(url.host, target, protocol));
    });
  }

  /** Sends bytes that are whole WebSocket frames. They must stay as they are until the relay has had them. */
  write(frames: Buffer): void {
    this.#socket.write(frames);
  }

  /** Sends one binary message. */
  send(payload: Uint8Array): void {
    this.write(clientFrame(Opcode.BINARY, payload));
  }

  /** Ends the connection at once. */
  close(): void {
    this.#isClosed = true;
    this.#socket.destroy();
  }

  #read(length: number): boolean {
    this.readAtMs = performance.now();
    try {
      if (this.#isOpen) this.#frames.read(READ_BUFFER, length);
      else this.#answer(READ_BUFFER.toString('latin1', 0, length));
    } catch (error) {
      this.#fail(error instanceof Error ? error.message : String(error));
    }
    return !this.#isClosed;
  }

  #answer(text: string): void {
    this.#head += text;
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101 ')) throw new Error(`the relay refused the upgrade: ${this.#head}`);
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    this.#head = '';
    this.#isOpen = true;
    this.#opened();
    this.#frames.read(rest, rest.length);
  }

  #frame(opcode: number, bytes: Buffer, start: number, end: number): void {
    if (opcode === Opcode.BINARY) this.onMessage(bytes, start, end);
    else if (opcode === Opcode.PING) this.write(clientFrame(Opcode.PONG, bytes.subarray(start, end)));
    else if (opcode === Opcode.CLOSE) this.#fail(closeText(bytes.subarray(start, end)));
    else if (opcode === Opcode.TEXT) throw new Error('a text message');
  }

  #fail(reason: string): void {
    if (this.#isClosed) return;
    this.close();
    this.onFailure(reason);
  }
}

function upgradeRequest(host: string, target: string, protocol: string): string {
  const lines = [
    `GET ${target} HTTP/1.1`,
    `Host: ${host}`,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    `Sec-WebSocket-Protocol: ${protocol}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function closeText(payload: Buffer): string {
  if (payload.length < 2) return 'the relay closed the connection';
  return `the relay closed the connection: ${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`;
}

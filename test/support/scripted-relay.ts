import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { decodeMulti, encode } from '@msgpack/msgpack';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Frame } from './client.ts';

/** One connection to a scripted relay, after its HELLO. */
export class ScriptedConnection {
  /** Every frame received after HELLO, in order. */
  readonly frames: Frame[] = [];
  /** How many WebSocket messages they came in. */
  messageCount = 0;
  readonly socket: WebSocket;
  readonly closed: Promise<unknown>;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = once(socket, 'close');
  }

  /** Sends frames as one WebSocket message; bytes go as they are. */
  send(...frames: readonly (Frame | Uint8Array)[]): void {
    this.socket.send(Buffer.concat(frames.map((frame) => (frame instanceof Uint8Array ? frame : encode(frame)))));
  }
}

/** How a scripted relay acts: what it says to HELLO, and to each frame after it. Without an answer it is silent. */
export interface Script {
  /** Answers HELLO; by default with a good WELCOME. */
  readonly hello?: (connection: ScriptedConnection, count: number) => void;
  /** Answers a frame. `attachedOrPong` has the answers of a relay that permits everything. */
  readonly frame?: (connection: ScriptedConnection, frame: Frame) => void;
}

/** WELCOME for a connection. */
export function welcome(sender = 7): Frame {
  const limits = { maxFrameBytes: 65_536, maxMessageBytes: 262_144 };
  return [16, sender, { boot: 'scripted', expiry: 4_000_000_000, limits }];
}

/** The answer of a relay that permits everything; the channel of a connection's first request has the id 5, and so on. */
export function agree(frame: Frame): Frame | undefined {
  const [type, ref, target, modes] = frame;
  if (type === 2) return [17, ref, 4 + Number(ref), modes, 0, 1];
  if (type === 3) return [18, ref, target, 200, 'detached'];
  if (type === 5) return [19, ref, 4_000_000_000];
  return type === 6 ? [20, ref] : undefined;
}

/** A relay that says what the test tells it to, built without the relay's own code: docs/PROTOCOL.md. */
export class ScriptedRelay {
  readonly connections: ScriptedConnection[] = [];
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer, script: Script) {
    this.#server = server;
    server.on('connection', (socket) => {
      const connection = new ScriptedConnection(socket);
      let isWelcome = false;
      socket.on('error', () => {});
      socket.on('message', (data: Buffer) => {
        const frames = [...decodeMulti(new Uint8Array(data))] as Frame[];
        if (isWelcome) connection.messageCount++;
        for (const frame of frames) {
          if (!isWelcome) {
            isWelcome = true;
            const count = this.connections.push(connection);
            if (script.hello === undefined) connection.send(welcome(6 + count));
            else script.hello(connection, count);
            continue;
          }
          connection.frames.push(frame);
          if (script.frame !== undefined) script.frame(connection, frame);
          else {
            const answer = agree(frame);
            if (answer !== undefined) connection.send(answer);
          }
        }
      });
    });
  }

  static async start(script: Script = {}): Promise<ScriptedRelay> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'mayfly.v1' });
    await once(server, 'listening');
    return new ScriptedRelay(server, script);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The latest connection that said HELLO. */
  get latest(): ScriptedConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('no connection said HELLO');
    return connection;
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

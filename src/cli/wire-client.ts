import { readFile } from 'node:fs/promises';
import { WebSocket } from 'ws';
import { RelayError } from '../errors.ts';
import { encodeFrame, readRelayFrame } from '../protocol/codec.ts';
import { type ClientFrame, FrameType, type RelayFrame, SUBPROTOCOL, VERSION } from '../protocol/frames.ts';

/** A connection of the command line: sends frames, hands every frame that comes to `onFrame`. */
export interface WireClient {
  readonly sender: number;
  send(...frames: readonly Uint8Array[]): void;
  close(): void;
  /** Resolves when the connection has ended: undefined after `close()`, else why. */
  readonly ended: Promise<string | undefined>;
}

/** How to reach a relay. `caFile` names a PEM file to trust beside the system's. */
export interface Target {
  readonly url: string;
  readonly token: string;
  readonly caFile?: string | undefined;
}

/** Connects and says HELLO; `onFrame` gets every frame after WELCOME. Throws a RelayError that says what the relay or the network answered. */
export async function connect(target: Target, onFrame: (frame: RelayFrame) => void): Promise<WireClient> {
  const socket = new WebSocket(addressOf(target.url), SUBPROTOCOL, {
    perMessageDeflate: false,
    ...(target.caFile === undefined ? {} : { ca: await readFile(target.caFile) }),
  });
  return new Promise((resolve, reject) => {
    let isClosing = false;
    let refusal: string | undefined;
    let endWith: (reason: string | undefined) => void;
    const ended = new Promise<string | undefined>((resolveEnded) => {
      endWith = resolveEnded;
    });
    const client = (sender: number): WireClient => ({
      sender,
      ended,
      send: (...frames) => socket.send(Buffer.concat(frames)),
      close: () => {
        isClosing = true;
        socket.close(1000);
      },
    });
    socket.on('open', () => socket.send(encode([FrameType.HELLO, VERSION, target.token])));
    socket.on('message', (message: Buffer) => {
      for (const frame of framesOf(message)) {
        if (frame[0] === FrameType.WELCOME) resolve(client(frame[1]));
        else onFrame(frame);
        if (frame[0] === FrameType.ERROR && frame[1] === null) refusal = `${frame[2]} ${frame[3]}: ${frame[4]}`;
      }
    });
    socket.on('unexpected-response', (_, response) => {
      refusal = `the relay answered the upgrade with HTTP ${response.statusCode}`;
      socket.close();
    });
    socket.on('error', (error) => {
      refusal ??= `cannot connect: ${error.message}`;
    });
    socket.on('close', (code, reason) => {
      const why = refusal ?? `the connection ended: ${code} ${reason.toString()}`.trim();
      reject(new RelayError('connection_failed', why));
      endWith(isClosing ? undefined : why);
    });
  });
}

/** Encodes a frame for the relay. */
export function encode(frame: ClientFrame): Uint8Array {
  return encodeFrame(frame);
}

function* framesOf(message: Uint8Array): Generator<RelayFrame> {
  for (let pos = 0; pos < message.length; ) {
    const read = readRelayFrame(message, pos);
    if (typeof read === 'string')
      throw new RelayError('connection_failed', `the relay sent what cannot be read: ${read}`);
    if (read.frame !== undefined) yield read.frame;
    pos = read.end;
  }
}

function addressOf(url: string): string {
  try {
    const address = new URL(url);
    if (address.protocol !== 'ws:' && address.protocol !== 'wss:') throw new TypeError('scheme');
    return address.href;
  } catch {
    throw new RelayError('connection_failed', `${JSON.stringify(url)} is not a ws:// or wss:// URL`);
  }
}

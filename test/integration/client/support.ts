import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { decodeMulti, encode } from '@msgpack/msgpack';
import { expect } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Channel, type ChannelEvents, connect, type Message, type Relay } from '../../../src/client/node.ts';
import { type Frame, message } from '../../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay, type TestRelayOptions } from '../../support/relay.ts';

/** A MESSAGE on its way to a client, taken apart. */
export interface Carried {
  readonly channelId: number;
  readonly seq: number;
  readonly sender: number;
  readonly envelope: Uint8Array | null;
  readonly body: Uint8Array;
}

/** Expects something of a value in time: `await until(() => texts).toEqual(['hello'])`. */
export function until<T>(read: () => T) {
  return expect.poll(read, { timeout: 15_000, interval: 2 });
}

/** A value a number of times. */
export function same<T>(value: T, count: number): T[] {
  return new Array<T>(count).fill(value);
}

/** A copy with one bit changed. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] as number) ^ (1 << (bit & 7));
  return copy;
}

/** Everything a channel tells from now on, each kind in its order. */
export function listenTo(channel: Channel) {
  const heard = { messages: [] as Message[], texts: [] as string[], refused: [] as string[], losses: [] as Loss[] };
  channel.on('message', (message) => heard.messages.push(message) && heard.texts.push(message.text));
  channel.on('refused', ({ reason }) => heard.refused.push(reason));
  channel.on('loss', (loss) => heard.losses.push(loss));
  return heard;
}

type Loss = ChannelEvents['loss'];

/** One connection through the proxy, seen from the middle. */
export class Tap {
  /** What becomes of each MESSAGE for the client, as one frame or several; without it they pass. */
  tamper: ((frame: Carried) => readonly (Carried | Frame)[]) | null = null;
  /** While true, MESSAGEs for the client go no further than `take`. */
  isHolding = false;
  readonly #held: Carried[] = [];
  /** The client's own id, from WELCOME. */
  sender = 0;
  readonly #client: WebSocket;
  readonly #relay: WebSocket;

  constructor(client: WebSocket, relay: WebSocket) {
    this.#client = client;
    this.#relay = relay;
  }

  /** Stops to read what the relay sends, or goes on. */
  set isStanding(isStanding: boolean) {
    if (isStanding) this.#relay.pause();
    else this.#relay.resume();
  }

  /** The next MESSAGEs that were held back, in order; waits for them. */
  async take(count: number): Promise<Carried[]> {
    await until(() => this.#held.length).toBeGreaterThanOrEqual(count);
    return this.#held.splice(0, count);
  }

  /** Sends frames to the client as one WebSocket message; bytes go as they are. */
  inject(...frames: readonly (Carried | Frame | Uint8Array)[]): void {
    this.#client.send(Buffer.concat(frames.map(bytesOf)));
  }

  /** Passes on what the relay sent, or keeps its MESSAGEs. */
  fromRelay(data: Buffer): void {
    const frames = [...decodeMulti(data)] as Frame[];
    const welcome = frames.find(([type]) => type === 16);
    if (welcome !== undefined) this.sender = welcome[1] as number;
    const { tamper } = this;
    if (tamper !== null) {
      this.inject(...frames.flatMap((frame) => (frame[0] === 4 ? tamper(carried(frame)) : [frame])));
      return;
    }
    if (!this.isHolding) {
      this.#client.send(data);
      return;
    }
    for (const frame of frames) if (frame[0] === 4) this.#held.push(carried(frame));
    const others = frames.filter(([type]) => type !== 4);
    if (others.length > 0) this.inject(...others);
  }

  /** Breaks the client's connection; resolves when it is back on another. */
  async cut(client: Relay): Promise<void> {
    const back = new Promise((resolve) => client.on('reconnected', resolve));
    this.#client.terminate();
    await back;
  }
}

/** What stands in the relay's place: knows what the relay knows, records all of it, and can do to frames what the relay could. */
export class ManInTheMiddle {
  /** Every upgrade's request line and headers, and every WebSocket message of both directions. */
  readonly #recorded: Buffer[] = [];
  readonly #server: WebSocketServer;
  readonly #relay: TestRelay;
  readonly #clients: Relay[] = [];
  #latest: Tap | undefined;

  private constructor(server: WebSocketServer, relay: TestRelay) {
    this.#server = server;
    this.#relay = relay;
    server.on('connection', (client, request) => {
      this.#recorded.push(Buffer.from([request.url, ...request.rawHeaders].join('\n')));
      this.#join(client, new WebSocket(relay.url, 'mayfly.v1', { perMessageDeflate: false }));
    });
  }

  /** Stands before a relay of its own. */
  static async start(options: TestRelayOptions = {}): Promise<ManInTheMiddle> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'mayfly.v1' });
    await once(server, 'listening');
    return new ManInTheMiddle(server, await startTestRelay(options));
  }

  /** An SDK client that takes this for the relay, and the tap on its first connection. */
  async join(sub: string, can: Readonly<Record<string, string>>): Promise<[Relay, Tap]> {
    const { port } = this.#server.address() as AddressInfo;
    const token = (): Promise<string> => this.#relay.mint({ sub, can });
    const client = await connect(`ws://127.0.0.1:${port}`, { token, backoff: { firstMs: 1, maxMs: 5 } });
    this.#clients.push(client);
    return [client, this.latest];
  }

  /** The latest connection. */
  get latest(): Tap {
    if (this.#latest === undefined) throw new Error('no connection came through');
    return this.#latest;
  }

  /** The ways of writing `secret` that the recording holds: itself, hex, base64, base64url, the latter at any of their offsets. */
  findings(secret: string | Uint8Array): string[] {
    const bytes = Buffer.from(secret as string);
    const recording = Buffer.concat(this.#recorded);
    const found = recording.includes(bytes) ? ['plain'] : [];
    if (recording.toString('latin1').toLowerCase().includes(bytes.toString('hex'))) found.push('hex');
    for (const encoding of ['base64', 'base64url'] as const) {
      const isFound = [0, 1, 2].some((offset) => recording.includes(inner(bytes, offset, encoding)));
      if (isFound) found.push(encoding);
    }
    return found;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.close();
    for (const client of this.#server.clients) client.terminate();
    this.#server.close();
    await once(this.#server, 'close');
    await stopRelays();
  }

  #join(client: WebSocket, relay: WebSocket): void {
    const tap = new Tap(client, relay);
    this.#latest = tap;
    client.pause();
    relay.on('open', () => client.resume());
    client.on('message', (data: Buffer) => {
      this.#recorded.push(data);
      relay.send(data);
    });
    relay.on('message', (data: Buffer) => {
      this.#recorded.push(data);
      tap.fromRelay(data);
    });
    client.on('close', () => relay.terminate());
    relay.on('close', () => client.terminate());
    for (const socket of [client, relay]) socket.on('error', () => {});
  }
}

/** What is left of the base64 of bytes `offset` into a group of three, whatever stands before and behind them. */
function inner(bytes: Buffer, offset: number, encoding: 'base64' | 'base64url'): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes])
    .toString(encoding)
    .replaceAll('=', '');
  const isWhole = (offset + bytes.length) % 3 === 0;
  return text.slice(Math.ceil((offset * 4) / 3), isWhole ? undefined : -1);
}

function carried([, channelId, seq, sender, envelope, body]: Frame): Carried {
  return { channelId, seq, sender, envelope, body } as Carried;
}

function bytesOf(frame: Carried | Frame | Uint8Array): Uint8Array {
  if (frame instanceof Uint8Array) return frame;
  if (!('channelId' in frame)) return encode(frame);
  const bytes = message(frame.channelId, frame.body, frame.envelope);
  bytes.writeBigUInt64BE(BigInt(frame.seq), 8);
  bytes.writeUInt32BE(frame.sender, 17);
  return bytes;
}

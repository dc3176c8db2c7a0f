import type { Socket } from 'node:net';
import { encode } from '@msgpack/msgpack';
import type { WebSocket } from 'ws';
import { message, type TestClient } from '../support/client.ts';

/** A source of numbers in [0, 1) that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One connection's worth of mischief, chosen by `random`. */
export class Hostile {
  readonly #client: TestClient;
  readonly #random: () => number;
  readonly #token: string;

  constructor(client: TestClient, random: () => number, token: string) {
    this.#client = client;
    this.#random = random;
    this.#token = token;
  }

  /** Sends one thing or does one thing to the socket. */
  act(): void {
    const { socket } = this.#client;
    const act = this.#pick([
      () => this.#client.send(this.#bytes(this.#below(2000))),
      () => this.#client.send(this.#mutated()),
      () => this.#client.send(this.#mutated()),
      ...Array(40).fill(() => this.#client.send(...Array.from({ length: 1 + this.#below(20) }, () => this.#valid()))),
      () => socket.send('text'.repeat(this.#below(50))),
      () => this.#client.send(this.#big()),
      () => socket.ping(this.#bytes(this.#below(126))),
      () => socket.pong(this.#bytes(4)),
      () => this.#client.pause(),
      () => rawSocketOf(socket).write(this.#bytes(1 + this.#below(300))),
    ]);
    act();
  }

  /** Ends the connection in one of the ways there are. */
  end(): void {
    const { socket } = this.#client;
    const end = this.#pick([
      () => socket.terminate(),
      () => rawSocketOf(socket).end(),
      () => rawSocketOf(socket).resetAndDestroy(),
      () => socket.close(1000),
      () => socket.terminate(),
    ]);
    end();
    socket.resume();
    setTimeout(() => socket.terminate(), 50);
  }

  #valid(): Uint8Array {
    const ref = this.#below(100);
    const name = this.#pick([
      'h.a',
      'h.b',
      'h.c.d',
      'h.*',
      'h.>',
      `h.${this.#below(500)}`,
      '>',
      'safe',
      '$audit',
      'h..',
    ]);
    const frame = this.#pick<unknown>([
      this.#random() < 0.1 ? [1, 1, this.#token] : [6, ref],
      [2, ref, name, 1 + this.#below(15)],
      [2, ref, name, this.#pick([1, 3, 7, 11, 15])],
      [3, ref, this.#channelId()],
      [5, ref, this.#pick([this.#token, 'not a token', null])],
      message(this.#channelId(), this.#bytes(this.#below(300))),
      message(this.#channelId(), this.#bytes(this.#below(20_000)), this.#bytes(this.#below(300))),
      message(this.#channelId(), this.#bytes(5)),
    ]);
    return frame instanceof Uint8Array ? frame : encode(frame);
  }

  #mutated(): Uint8Array {
    const bytes = Uint8Array.from(this.#valid());
    for (let i = this.#below(4); i >= 0; i--) bytes[this.#below(Math.min(bytes.length, 30))] = this.#below(256);
    return this.#random() < 0.3 ? bytes.subarray(0, this.#below(bytes.length)) : bytes;
  }

  #big(): Uint8Array {
    const size = this.#pick([65_500, 65_536, 70_000, 262_100, 262_144, 300_000, 1_000_000]);
    return this.#random() < 0.5 ? message(this.#channelId(), new Uint8Array(size)) : this.#bytes(size);
  }

  /** Mostly an id this connection was told, else any. */
  #channelId(): number {
    const known = this.#client.frames.filter(([type]) => type === 17 || type === 27);
    const [type, first, second] = known[this.#below(known.length + 1)] ?? [0, this.#below(2 ** 32), 0];
    return Number(type === 17 ? second : first);
  }

  #bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#below(256));
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T;
  }
}

function rawSocketOf(socket: WebSocket): Socket {
  return (socket as unknown as { _socket: Socket })._socket; // ws keeps it there; nothing else reaches below WebSocket frames
}

import type { RawSocket } from './raw-socket.ts';

/** The seq of a relay that does not number what it delivers. */
export const NO_SEQ = -1;

/** Called for each body from another peer: where it starts, its number in the channel or NO_SEQ, and when it was read (ms of performance.now()). */
export type BodySink = (bytes: Buffer, start: number, seq: number, readAtMs: number) => void;

/** What a peer does with its topic. */
export interface Role {
  readonly publishes: boolean;
  readonly subscribes: boolean;
}

/** A connection that has joined a topic. */
export interface Peer {
  readonly socket: RawSocket;
  /** Bytes that stand ahead of each body this peer publishes; empty when a message is its body. */
  readonly prefix: Uint8Array;
  onBody: BodySink;
}

/** Connects one peer and joins a topic; rejects when the relay refuses. */
export type Join = (topic: string, role: Role) => Promise<Peer>;

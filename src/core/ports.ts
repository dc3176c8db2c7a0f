/** A connected client as the edge knows it. Opaque here: core only hands it back. */
export type Connection = object;

/**
 * Native publish and subscribe.
 * Trusts: core has authorized every call. Promises: bytes are copied before a call returns; one connection gets what was published to a
 * topic, and what was sent to it, in call order; a connection over its buffer limit is skipped and later reported as lossy; never throws.
 */
export interface Fanout {
  subscribe(connection: Connection, topic: string): void;
  unsubscribe(connection: Connection, topic: string): void;
  /** Hands `bytes` to every subscriber of the topic except one, which is a subscriber itself. */
  publish(topic: string, bytes: Uint8Array, except: Connection | null): void;
  /** Sends frames core owes a connection other than the one being served. */
  send(connection: Connection, bytes: Uint8Array): void;
  /** Bytes that may still be sent to a connection before it is full. */
  room(connection: Connection): number;
  /** Tells that frames of a connection that had to wait for an earlier one of it can be served now. */
  resume(connection: Connection): void;
}

/** The two times there are; both in milliseconds. */
export interface Clock {
  /** Since 1970, as the machine has it, for what tokens and revocations say. It can be set, forward and back. */
  nowMs(): number;
  /** Since some moment, for every duration. Nobody sets it, and it never goes back. */
  monotonicMs(): number;
}

/** Counters core adds to, plain numbers that are read at a scrape. */
export interface Meter {
  framesIn: number;
  bytesIn: number;
  deliveries: number;
  deliveredBytes: number;
  channels: number;
  attachments: number;
}

/** Runs the callback once, after every event of the current loop turn. */
export type EndOfTurn = (callback: () => void) => void;

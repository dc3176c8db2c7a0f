import { decodeMulti } from '@msgpack/msgpack';
import type { Connection, Fanout } from '../../../src/core/ports.ts';

/** A frame as another msgpack library reads it. */
export type Frame = readonly unknown[];

/** One publish: a copy of its bytes, and the memory they came in. */
export interface Publication {
  readonly topic: string;
  readonly bytes: Buffer;
  readonly source: Uint8Array;
  readonly except: Connection | null;
}

/** Every frame in some bytes. */
export function framesIn(bytes: Uint8Array): Frame[] {
  return [...decodeMulti(Uint8Array.from(bytes))] as Frame[];
}

/** The port Fanout in memory: copies bytes in the call and keeps, for each connection, what it got in order. */
export class FakeFanout implements Fanout {
  readonly published: Publication[] = [];
  /** Connections that have no room at the moment. */
  readonly full = new Set<Connection>();
  /** Connections that were resumed. */
  readonly resumed: Connection[] = [];
  readonly #topics = new Map<string, Set<Connection>>();
  readonly #inboxes = new Map<Connection, Frame[]>();

  subscribe(connection: Connection, topic: string): void {
    this.#topics.set(topic, this.subscribers(topic).add(connection));
  }

  unsubscribe(connection: Connection, topic: string): void {
    this.subscribers(topic).delete(connection);
  }

  publish(topic: string, bytes: Uint8Array, except: Connection | null): void {
    if (except !== null && !this.subscribers(topic).has(except)) throw new Error('except must be a subscriber itself');
    this.published.push({ topic, bytes: Buffer.from(bytes), source: bytes, except });
    for (const connection of this.subscribers(topic)) if (connection !== except) this.send(connection, bytes);
  }

  send(connection: Connection, bytes: Uint8Array): void {
    this.inbox(connection).push(...framesIn(bytes));
  }

  /** A connection that is gone: its subscriptions went with it. */
  drop(connection: Connection): void {
    for (const subscribers of this.#topics.values()) subscribers.delete(connection);
  }

  room(connection: Connection): number {
    return this.full.has(connection) ? 0 : 1_048_576;
  }

  resume(connection: Connection): void {
    this.resumed.push(connection);
  }

  inbox(connection: Connection): Frame[] {
    const inbox = this.#inboxes.get(connection) ?? [];
    this.#inboxes.set(connection, inbox);
    return inbox;
  }

  topicsOf(connection: Connection): string[] {
    return [...this.#topics].filter(([, subscribers]) => subscribers.has(connection)).map(([topic]) => topic);
  }

  subscribers(topic: string): Set<Connection> {
    return this.#topics.get(topic) ?? new Set();
  }
}

import type { Connection, Fanout } from '../core/ports.ts';
import { Peer } from './peer.ts';
import { DROPPED, type TemplatedApp } from './uws.ts';

/** Fan-out by uWebSockets.js's own publish. After a certificate reload there is more than one app: each holds the connections it accepted. */
export class UwsFanout implements Fanout {
  /** Open connections of each app that has any, in the order in which the apps got their first. */
  readonly #counts = new Map<TemplatedApp, number>();
  /** Ends a connection that has no room for a reply. */
  readonly #cut: (peer: Peer) => void;
  readonly #maxBufferedBytes: number;
  #only: TemplatedApp | null = null;

  constructor(cut: (peer: Peer) => void, maxBufferedBytes: number) {
    this.#cut = cut;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  /** The apps that have connections, the oldest first. */
  get apps(): readonly TemplatedApp[] {
    return [...this.#counts.keys()];
  }

  /** Takes note of a connection that an app opened. */
  opened(app: TemplatedApp): void {
    this.#count(app, 1);
  }

  /** Takes note of a connection that is gone: an app without any costs nothing. */
  closed(app: TemplatedApp): void {
    this.#count(app, -1);
  }

  subscribe(connection: Connection, topic: string): void {
    socketOf(connection)?.subscribe(topic);
  }

  unsubscribe(connection: Connection, topic: string): void {
    socketOf(connection)?.unsubscribe(topic);
  }

  publish(topic: string, bytes: Uint8Array, except: Connection | null): void {
    const sender = except === null ? undefined : socketOf(except);
    if (sender === undefined) {
      if (this.#only !== null) this.#only.publish(topic, bytes, true);
      else for (const app of this.#counts.keys()) app.publish(topic, bytes, true);
      return;
    }
    sender.publish(topic, bytes, true);
    if (this.#only !== null) return;
    for (const app of this.#counts.keys()) if (app !== (except as Peer).app) app.publish(topic, bytes, true); // socketOf knew it as a Peer
  }

  send(connection: Connection, bytes: Uint8Array): void {
    if (!(connection instanceof Peer) || connection.socket?.send(bytes, true) !== DROPPED) return;
    this.#cut(connection);
  }

  room(connection: Connection): number {
    return this.#maxBufferedBytes - (socketOf(connection)?.getBufferedAmount() ?? 0);
  }

  resume(connection: Connection): void {
    if (connection instanceof Peer) connection.inbox?.resume();
  }

  #count(app: TemplatedApp, change: 1 | -1): void {
    const count = (this.#counts.get(app) ?? 0) + change;
    if (count === 0) this.#counts.delete(app);
    else this.#counts.set(app, count);
    const [first] = this.#counts.keys();
    this.#only = this.#counts.size === 1 && first !== undefined ? first : null;
  }
}

function socketOf(connection: Connection): Peer['socket'] {
  return connection instanceof Peer ? connection.socket : undefined;
}

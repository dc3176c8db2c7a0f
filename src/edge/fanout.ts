import type { Connection, Fanout } from '../core/ports.ts';
import { Peer } from './peer.ts';
import { DROPPED, type TemplatedApp } from './uws.ts';

/** Fan-out by uWebSockets.js's own publish. After a certificate reload there is more than one app: each holds the connections it accepted. */
export class UwsFanout implements Fanout {
  readonly #apps = new Set<TemplatedApp>();
  /** Ends a connection that has no room for a reply. */
  readonly #cut: (peer: Peer) => void;
  #only: TemplatedApp | null = null;

  constructor(cut: (peer: Peer) => void) {
    this.#cut = cut;
  }

  /** Publishes from now on to exactly these apps. */
  setApps(apps: Iterable<TemplatedApp>): void {
    this.#apps.clear();
    for (const app of apps) this.#apps.add(app);
    const [only] = this.#apps;
    this.#only = this.#apps.size === 1 && only !== undefined ? only : null;
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
      else for (const app of this.#apps) app.publish(topic, bytes, true);
      return;
    }
    sender.publish(topic, bytes, true);
    if (this.#only !== null) return;
    for (const app of this.#apps) if (app !== (except as Peer).app) app.publish(topic, bytes, true); // socketOf knew it as a Peer
  }

  send(connection: Connection, bytes: Uint8Array): void {
    if (!(connection instanceof Peer) || connection.socket?.send(bytes, true) !== DROPPED) return;
    this.#cut(connection);
  }
}

function socketOf(connection: Connection): Peer['socket'] {
  return connection instanceof Peer ? connection.socket : undefined;
}

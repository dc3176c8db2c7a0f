import { connect, type Relay } from '../../src/client/node.ts';
import { asyncEach } from './each.ts';

/** How long one client was without a connection, in ms, and how it lost the one it had. */
export interface Absence {
  readonly offlineMs: number;
  /** The close code; 1006 where there was none. */
  readonly code: number;
  /** Dials until it was back. */
  readonly dialCount: number;
}

const DIALS_AT_ONCE = 20;
/** A client that had the next connection before it left the one it had, as the relay asked it to. */
const MOVED = { atMs: null, code: 4000, dialCount: 1 };

/** Clients of the SDK that stay connected, each in a room of its own, and note how long they were away. */
export class Clients {
  readonly #relays: Relay[] = [];
  readonly #absences = new Map<Relay, Absence>();

  /** Connects `count` of them. */
  static async connect(url: string, token: string, count: number): Promise<Clients> {
    const clients = new Clients();
    await asyncEach(
      Array.from({ length: count }, (_, i) => i),
      DIALS_AT_ONCE,
      (i) => clients.#add(url, token, i),
    );
    return clients;
  }

  /** Those that were away and are back. */
  get absences(): readonly Absence[] {
    return [...this.#absences.values()];
  }

  async close(): Promise<void> {
    await Promise.all(this.#relays.map((relay) => relay.close()));
  }

  async #add(url: string, token: string, i: number): Promise<void> {
    const relay = await connect(url, { token: () => token });
    let lost: { readonly atMs: number; readonly code: number; dialCount: number } | undefined;
    relay.on('reconnecting', ({ code }) => {
      lost ??= { atMs: performance.now(), code, dialCount: 0 };
      lost.dialCount++;
    });
    relay.on('reconnected', () => {
      const { atMs, code, dialCount } = lost ?? MOVED;
      this.#absences.set(relay, { offlineMs: atMs === null ? 0 : performance.now() - atMs, code, dialCount });
      lost = undefined;
    });
    await relay.channel(`room.${i}`, { plaintext: true });
    this.#relays.push(relay);
  }
}

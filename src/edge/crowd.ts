import type { Prefix } from './address-prefix.ts';

/** A socket's place in a crowd. */
export interface Place {
  readonly neighbours: Neighbours;
  readonly sinceMs: number;
  /** Ends the socket, at once. */
  readonly giveWay: () => void;
}

/** The places of one address, oldest first. */
interface Neighbours {
  readonly prefix: Prefix;
  readonly places: Set<Place>;
}

/** A place is not taken away from somebody who came this recently, unless for an address that has less: a handshake takes less, a squatter stays. */
const GRACE_MS = 1000;

/**
 * Sockets of strangers: so many at most. When it is full, the address that has the most places gives one to a newcomer, its oldest; so
 * nobody can keep those out who come from elsewhere, and nobody is turned away while there is room. Every step takes constant time.
 */
export class Crowd {
  readonly #byPrefix = new Map<Prefix, Neighbours>();
  /** Who has 1 place, 2 places, and so on; those who have had as many for longest come first. */
  readonly #bySize: Set<Neighbours>[] = [];
  #largest = 0;
  #count = 0;
  readonly #gaveWay: () => void;

  /** `gaveWay` is told of each socket that was ended for another. */
  constructor(gaveWay: () => void) {
    this.#gaveWay = gaveWay;
  }

  get count(): number {
    return this.#count;
  }

  /** Takes a socket in, if need be for another one; null when there is no room. `giveWay` may call `leave`. */
  join(prefix: Prefix, giveWay: () => void, room: { readonly capacity: number; readonly nowMs: number }): Place | null {
    const size = this.#byPrefix.get(prefix)?.places.size ?? 0;
    if (this.#count >= room.capacity && !this.#makeRoom(size, room.nowMs)) return null;
    const neighbours = this.#byPrefix.get(prefix) ?? { prefix, places: new Set<Place>() };
    const place: Place = { neighbours, sinceMs: room.nowMs, giveWay };
    this.#resize(neighbours, () => neighbours.places.add(place));
    this.#count++;
    return place;
  }

  /** Gives a place back; doing so twice is doing so once. */
  leave(place: Place): void {
    const { neighbours } = place;
    if (!neighbours.places.has(place)) return;
    this.#resize(neighbours, () => neighbours.places.delete(place));
    this.#count--;
  }

  /** Ends one socket for a newcomer whose address has `size` places already. */
  #makeRoom(size: number, nowMs: number): boolean {
    const [neighbours] = this.#bySize[this.#largest] ?? [];
    const [oldest] = neighbours?.places ?? [];
    if (oldest === undefined) return false;
    if (this.#largest <= size + 1 && nowMs - oldest.sinceMs < GRACE_MS) return false;
    this.leave(oldest);
    this.#gaveWay();
    oldest.giveWay();
    return true;
  }

  #resize(neighbours: Neighbours, act: () => void): void {
    this.#bySize[neighbours.places.size]?.delete(neighbours);
    act();
    const { size } = neighbours.places;
    if (size === 0) {
      this.#byPrefix.delete(neighbours.prefix);
    } else {
      this.#byPrefix.set(neighbours.prefix, neighbours);
      const alike = this.#bySize[size] ?? new Set();
      this.#bySize[size] = alike.add(neighbours);
    }
    this.#largest = Math.max(this.#largest, size);
    while (this.#largest > 0 && (this.#bySize[this.#largest]?.size ?? 0) === 0) this.#largest--;
  }
}

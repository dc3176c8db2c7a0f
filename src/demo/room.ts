import { blindName, ChannelKey, KeyRing } from '../client/index.ts';
import type { Invitation } from './invitation.ts';
import type { Words } from './words.ts';

type NextKey = Extract<Words, { kind: 'next-key' }>;

/** What a room tells the page about its key. */
export interface RoomEvents {
  /** Frames of the next key open; nothing is sealed with it yet. */
  prepared(): void;
  /** What is sent is sealed with the next key, whose invitation this is. */
  rotated(invitation: Invitation): void;
}

/** From preparing to rotating: by then every page in the room has prepared. */
const ROTATE_AFTER_MS = 1500;
/** Covers a page in the background, whose timers browsers hold back for up to a minute. */
const GRACE_MS = 120_000;
const ROOM_NAME = 'room';

/** The room an invitation is for: its channel's blind name, and the keys of all who are in it on this page. */
export class Room {
  readonly channel: string;
  readonly ring: KeyRing;
  readonly #blindKey: Uint8Array;
  readonly #events: RoomEvents;
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(channel: string, { key, generation, blindKey }: Invitation, events: RoomEvents) {
    this.channel = channel;
    this.ring = new KeyRing(ChannelKey.fromBytes(key), { generation });
    this.#blindKey = blindKey;
    this.#events = events;
  }

  /** Opens the room of an invitation. */
  static async open(invitation: Invitation, events: RoomEvents): Promise<Room> {
    return new Room(await blindName(invitation.blindKey, ROOM_NAME), invitation, events);
  }

  /** Whether a key was prepared that is not in use yet. */
  get isRotating(): boolean {
    return this.#timer !== undefined;
  }

  /** A fresh key to hand out. */
  nextKey(): NextKey {
    return { kind: 'next-key', key: ChannelKey.random().toBytes(), generation: this.#nextGeneration };
  }

  /**
   * Takes a next key that a member handed out. Everybody sees the messages of a channel in the same order, their own among them, so when two
   * members hand out keys at once the first counts for all.
   */
  accept({ key, generation }: NextKey): void {
    if (this.isRotating || generation !== this.#nextGeneration) return;
    const next = ChannelKey.fromBytes(key);
    this.ring.prepare(next, { generation });
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.ring.rotate(next, { generation, graceMs: GRACE_MS });
      this.#events.rotated({ key, generation, blindKey: this.#blindKey });
    }, ROTATE_AFTER_MS);
    this.#events.prepared();
  }

  /** Leaves the keys as they are. */
  close(): void {
    clearTimeout(this.#timer);
  }

  get #nextGeneration(): number {
    return (this.ring.generation + 1) % 256;
  }
}

import type { EndOfTurn } from '../core/ports.ts';
import type { Tenant } from '../core/tenant.ts';
import type { Peer } from './peer.ts';

/** Returned by the server of a message when nothing of it is left to serve. */
export const SERVED = -1;
/** What keeping a message costs besides its bytes. */
const MESSAGE_OVERHEAD_BYTES = 128;
/** When too much waits in all, it is brought to this part of what may. */
const RELIEF = 0.75;

/** What an inbox needs. */
export interface InboxPorts {
  /** Serves a message from an offset; returns the offset of the first frame that must wait for a later turn, or SERVED. */
  readonly serve: (peer: Peer, bytes: Uint8Array, start: number, isBinary: boolean) => number;
  /** Ends a connection of which too much waits, or most where too much of all waits, or whose messages wait too long. */
  readonly overflow: (peer: Peer) => void;
  /** Called when a connection that is gone has been served. */
  readonly departed: (peer: Peer) => void;
  /** Hands on what serving put together. */
  readonly flush: () => void;
  readonly endOfTurn: EndOfTurn;
  /** Running time. */
  readonly nowMs: () => number;
  readonly maxBytes: number;
  readonly maxTotalBytes: number;
  readonly maxWaitMs: number;
}

/**
 * Holds what cannot be served from the message handler, in order for each connection, and serves it turn by turn: frames of a tenant that has
 * had its part of this turn, and over TLS everything. While uSockets reads a TLS socket, a write to any TLS socket throws away what it has not
 * decrypted yet (its openssl.c says so), which cuts a connection that sends over 512 KiB at once. So over TLS nothing may be written
 * from inside a message handler. The price is a copy of each message.
 */
export class Inbox {
  readonly #peers = new Set<Peer>();
  readonly #ports: InboxPorts;
  #isDue = false;
  #totalBytes = 0;

  constructor(ports: InboxPorts) {
    this.#ports = ports;
  }

  /** Takes a message from an offset on; its memory is about to be taken back, so it is copied. */
  add(peer: Peer, message: ArrayBuffer, start: number, isBinary: boolean): void {
    const bytes = new Uint8Array(message.slice(start));
    peer.waiting.push({ bytes, isBinary, start: 0, sinceMs: this.#ports.nowMs() });
    peer.waitingBytes += bytes.length + MESSAGE_OVERHEAD_BYTES;
    this.#totalBytes += bytes.length + MESSAGE_OVERHEAD_BYTES;
    this.#peers.add(peer);
    if (peer.waitingBytes > this.#ports.maxBytes) this.#end(peer);
    peer.inbox = this;
    this.#schedule();
  }

  /** Frames that had to wait for an earlier one of their connection can be served. */
  resume(): void {
    this.#schedule();
  }

  /** Ends a connection whose oldest message has waited too long, and overwrites what waits; false where none has. */
  expire(peer: Peer): boolean {
    const [oldest] = peer.waiting;
    if (oldest === undefined || this.#ports.nowMs() - oldest.sinceMs <= this.#ports.maxWaitMs) return false;
    this.#forget(peer);
    this.#peers.delete(peer);
    if (peer.socket === undefined) this.#ports.departed(peer);
    else this.#ports.overflow(peer);
    return true;
  }

  /** Whether something of a connection waits; what comes now must wait behind it. */
  holds(peer: Peer): boolean {
    return peer.waiting.length > 0;
  }

  #schedule(): void {
    if (this.#isDue || this.#peers.size === 0) return;
    this.#isDue = true;
    this.#ports.endOfTurn(this.#run);
  }

  readonly #run = (): void => {
    this.#isDue = false;
    if (this.#totalBytes > this.#ports.maxTotalBytes) this.#relieve(); // not sooner: over TLS nothing may be written then
    for (const peer of [...this.#peers]) {
      if (this.expire(peer)) continue;
      const [first] = peer.waiting;
      const start = first?.start;
      const isServed = this.#serve(peer);
      if (!isServed && peer.waiting[0] === first && first?.start === start) continue; // its turn is still to come
      this.#peers.delete(peer);
      if (!isServed) this.#peers.add(peer);
      else if (peer.socket === undefined) this.#ports.departed(peer);
    }
    this.#ports.flush();
    for (const { session } of this.#peers) {
      if (session?.isBusy === true) continue; // `resume` says when
      this.#schedule();
      return;
    }
  };

  /** Whether everything of the connection was served. What was is taken out at once at the end: one by one would move the rest each time. */
  #serve(peer: Peer): boolean {
    let count = 0;
    for (let next = peer.waiting[0]; next !== undefined; next = peer.waiting[++count]) {
      next.start = this.#ports.serve(peer, next.bytes, next.start, next.isBinary);
      if (next.start !== SERVED) break;
      peer.waitingBytes -= next.bytes.length + MESSAGE_OVERHEAD_BYTES;
      this.#totalBytes -= next.bytes.length + MESSAGE_OVERHEAD_BYTES;
      next.bytes.fill(0);
    }
    peer.waiting.splice(0, count);
    return peer.waiting.length === 0;
  }

  /** Ends those that have most waiting, of the tenant that has: who happens to send at that moment has done nothing. */
  #relieve(): void {
    const sums = new Map<Tenant | undefined, number>();
    for (const { session, waitingBytes } of this.#peers) {
      sums.set(session?.tenant, (sums.get(session?.tenant) ?? 0) + waitingBytes);
    }
    const sumOf = ({ session }: Peer): number => sums.get(session?.tenant) ?? 0;
    const heaviestFirst = [...this.#peers].sort((a, b) => sumOf(b) - sumOf(a) || b.waitingBytes - a.waitingBytes);
    for (const peer of heaviestFirst) {
      if (this.#totalBytes <= this.#ports.maxTotalBytes * RELIEF) return;
      this.#end(peer);
    }
  }

  #end(peer: Peer): void {
    this.#forget(peer);
    this.#ports.overflow(peer);
  }

  #forget(peer: Peer): void {
    for (const { bytes } of peer.waiting) bytes.fill(0);
    this.#totalBytes -= peer.waitingBytes;
    peer.waiting.length = 0;
    peer.waitingBytes = 0;
  }
}

import type { EndOfTurn } from '../core/ports.ts';
import type { Peer } from './peer.ts';

/**
 * Holds the messages of TLS connections until the turn's reading is done. While uSockets reads a TLS socket, a write to any TLS socket
 * throws away what it has not decrypted yet (its openssl.c says so), which cuts a connection that sends over 512 KiB at once. So over TLS
 * nothing may be written from inside a message handler. The price is a copy of each message.
 */
export class Inbox {
  /** The first one that was not served yet. */
  #next = 0;
  readonly #waiting: { readonly peer: Peer; readonly message: ArrayBuffer; readonly isBinary: boolean }[] = [];
  readonly #receive: (peer: Peer, message: ArrayBuffer, isBinary: boolean) => void;
  readonly #endOfTurn: EndOfTurn;
  readonly #flush: () => void;

  /** `receive` serves one message; `flush` hands on what serving them put together. */
  constructor(
    receive: (peer: Peer, message: ArrayBuffer, isBinary: boolean) => void,
    endOfTurn: EndOfTurn,
    flush: () => void,
  ) {
    this.#receive = receive;
    this.#endOfTurn = endOfTurn;
    this.#flush = flush;
  }

  /** Takes a message whose memory is about to be taken back. */
  add(peer: Peer, message: ArrayBuffer, isBinary: boolean): void {
    if (this.#waiting.length === 0) this.#endOfTurn(this.#serve);
    this.#waiting.push({ peer, message: message.slice(0), isBinary });
  }

  /** Serves what a connection sent before its client closed it. */
  finish(peer: Peer): void {
    for (const { peer: sender, message, isBinary } of this.#waiting.slice(this.#next)) {
      if (sender === peer) this.#receive(peer, message, isBinary);
    }
  }

  readonly #serve = (): void => {
    for (let waiting = this.#waiting[0]; waiting !== undefined; waiting = this.#waiting[this.#next]) {
      this.#next++;
      if (waiting.peer.socket !== undefined) this.#receive(waiting.peer, waiting.message, waiting.isBinary);
    }
    this.#waiting.length = 0;
    this.#next = 0;
    this.#flush();
  };
}

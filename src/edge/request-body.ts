import { type Refusal, refusal } from '../protocol/codes.ts';
import type { HttpResponse } from './uws.ts';

const TOO_LARGE = refusal('frame_too_large', 'the body is larger than a frame may be');

/**
 * The body of a request. Until somebody asks for it, nothing more is read from the socket than came together with the headers; so a client
 * without a good token makes the relay hold next to nothing.
 */
export class RequestBody {
  readonly #response: HttpResponse;
  readonly #isTooLarge: boolean;
  readonly #chunks: Uint8Array[] = [];
  #isPaused = false;
  #isWhole = false;
  #isGivenUp = false;
  #deliver: ((body: Uint8Array | Refusal) => void) | null = null;

  /** `bytes` is the Content-Length; what is over `maxBytes` is never held. */
  constructor(response: HttpResponse, bytes: number, maxBytes: number) {
    this.#response = response;
    this.#isTooLarge = bytes > maxBytes;
    response.onData((chunk, isLast) => this.#take(chunk, isLast));
  }

  /** Whether all of it has come. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** The whole body, whose bytes the caller overwrites when it has used them. Never resolves for a client that goes away. */
  read(): Promise<Uint8Array | Refusal> {
    return new Promise((resolve) => {
      if (this.#isTooLarge) resolve(TOO_LARGE);
      else if (this.#isWhole) resolve(this.#joined());
      else {
        this.#deliver = resolve;
        if (this.#isPaused) this.#response.resume();
        this.#isPaused = false;
      }
    });
  }

  /** Nobody asks for it any more: what still comes is thrown away, so that the client's end is noticed. */
  giveUp(): void {
    if (this.#isPaused) this.#response.resume();
    this.#isPaused = false;
    this.#isGivenUp = true;
    this.#overwrite();
  }

  /** The client is gone: there is nothing to resume. */
  abandon(): void {
    this.#isPaused = false;
    this.giveUp();
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    this.#isWhole = isLast;
    if (!this.#isGivenUp && !this.#isTooLarge) this.#chunks.push(new Uint8Array(chunk.slice(0)));
    new Uint8Array(chunk).fill(0); // in uWebSockets.js's memory
    if (this.#isGivenUp) return;
    if (isLast) this.#deliver?.(this.#joined());
    else if (this.#deliver === null && !this.#isPaused) {
      this.#isPaused = true;
      this.#response.pause();
    }
  }

  /** Everything that has come, as one; nothing of it stays here. */
  #joined(): Uint8Array {
    const [only] = this.#chunks;
    const joined = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
    if (joined === only) this.#chunks.length = 0;
    else this.#overwrite();
    return joined;
  }

  #overwrite(): void {
    for (const chunk of this.#chunks) chunk.fill(0);
    this.#chunks.length = 0;
  }
}

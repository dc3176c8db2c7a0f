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
  readonly #chunks: Buffer[] = [];
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

  /** The whole body. Never resolves for a client that goes away. */
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
    this.#chunks.length = 0;
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    this.#isWhole = isLast;
    if (this.#isGivenUp) return;
    if (!this.#isTooLarge) this.#chunks.push(Buffer.from(chunk.slice(0)));
    if (isLast) this.#deliver?.(this.#joined());
    else if (this.#deliver === null && !this.#isPaused) {
      this.#isPaused = true;
      this.#response.pause();
    }
  }

  #joined(): Uint8Array {
    const [only] = this.#chunks;
    return this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks);
  }
}

import { STATUS_CODES } from 'node:http';
import { ERROR_STATUS, type Refusal, refusal } from '../protocol/codes.ts';
import type { HttpRequest, HttpResponse } from './uws.ts';

const TOO_LARGE = refusal('frame_too_large', 'the body is larger than a frame may be');

/** One HTTP request and its answer. Reads headers at once, as uWebSockets.js takes them back; answers at most once. */
export class Exchange {
  readonly authorization: string;
  readonly contentType: string;
  readonly origin: string;
  readonly #isHead: boolean;
  readonly #response: HttpResponse;
  readonly #corsOrigins: readonly string[];
  #isOver = false;
  #isBodyRead = false;

  constructor(response: HttpResponse, request: HttpRequest, corsOrigins: readonly string[]) {
    this.#response = response;
    this.#corsOrigins = corsOrigins;
    this.authorization = request.getHeader('authorization');
    this.contentType = request.getHeader('content-type');
    this.origin = request.getHeader('origin');
    this.#isHead = request.getMethod() === 'head';
    response.onAborted(() => {
      this.#isOver = true;
    });
  }

  /** The token of an `Authorization: Bearer` header, null without one. */
  get bearer(): string | null {
    return /^Bearer +([^\s]+)$/i.exec(this.authorization)?.[1] ?? null;
  }

  /** Whether the request has the media type, whatever its parameters. */
  hasContentType(type: string): boolean {
    return this.contentType.split(';', 1)[0]?.trim().toLowerCase() === type;
  }

  /** Reads the whole body, up to `maxBytes`. Never resolves for a client that goes away. */
  readBody(maxBytes: number): Promise<Uint8Array | Refusal> {
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      let size = 0;
      this.#response.onData((chunk, isLast) => {
        size += chunk.byteLength;
        if (size > maxBytes) resolve(TOO_LARGE);
        else chunks.push(Buffer.from(chunk.slice(0)));
        if (!isLast) return;
        this.#isBodyRead = true;
        resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
      });
    });
  }

  /** Answers with JSON. */
  json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): void {
    this.send(status, JSON.stringify(body), { 'Content-Type': 'application/json', ...headers });
  }

  /** Answers with the JSON of a refusal; 401 says what kind of credential is wanted (RFC 6750). */
  refuse(refused: Refusal, headers: Readonly<Record<string, string>> = {}): void {
    const challenge: Record<string, string> =
      refused.status === ERROR_STATUS.token_missing ? { 'WWW-Authenticate': 'Bearer' } : {};
    this.json(refused.status, refused, { ...challenge, ...headers });
  }

  /**
   * Answers, unless the client is gone or was answered; HEAD gets the headers alone (RFC 9110, section 9.3.2). A refused client that is still
   * sending its body is hung up on.
   */
  send(status: number, body: string, headers: Readonly<Record<string, string>>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#response.cork(() => {
      this.#response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      this.#response.writeHeader('Cache-Control', 'no-store').writeHeader('X-Content-Type-Options', 'nosniff');
      if (this.#corsOrigins.includes(this.origin)) {
        this.#response.writeHeader('Access-Control-Allow-Origin', this.origin).writeHeader('Vary', 'Origin');
      }
      for (const [name, value] of Object.entries(headers)) this.#response.writeHeader(name, value);
      const isHungUp = status >= 400 && !this.#isBodyRead;
      if (this.#isHead) this.#response.endWithoutBody(Buffer.byteLength(body), isHungUp);
      else this.#response.end(body, isHungUp);
    });
  }

  /** Hands the response to another protocol, unless the client is gone. */
  takeOver(act: (response: HttpResponse) => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#response.cork(() => act(this.#response));
  }
}

/** Whether the URL has a query string. */
export function hasQuery(request: HttpRequest): boolean {
  return (request.getQuery() ?? '') !== ''; // undefined without a `?`, whatever its types say
}

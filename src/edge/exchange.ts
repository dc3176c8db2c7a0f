import { STATUS_CODES } from 'node:http';
import { ERROR_STATUS, type Refusal } from '../protocol/codes.ts';
import { RequestBody } from './request-body.ts';
import { readHeaders } from './request-headers.ts';
import type { HttpRequest, HttpResponse } from './uws.ts';

/** Hung up on in any case: whether the body had come by then would tell how long it took to say no. */
const NOT_PERMITTED: ReadonlySet<number> = new Set([401, 403]);

/** One HTTP request and its answer. Reads headers at once, as uWebSockets.js takes them back; answers at most once. */
export class Exchange {
  /** What is wrong with the request's headers, if anything: then it must be refused, whatever it asks for. */
  readonly malformed: Refusal | null;
  readonly #headers: ReadonlyMap<string, string>;
  readonly #isHead: boolean;
  readonly #response: HttpResponse;
  readonly #corsOrigins: readonly string[];
  #isOver = false;
  #body: RequestBody | null = null;

  constructor(response: HttpResponse, request: HttpRequest, corsOrigins: readonly string[] = []) {
    const { values, malformed } = readHeaders(request);
    this.#response = response;
    this.#corsOrigins = corsOrigins;
    this.#headers = values;
    this.malformed = malformed;
    this.#isHead = request.getMethod() === 'head';
    response.onAborted(() => {
      this.#isOver = true;
      this.#body?.abandon();
    });
  }

  /** A header by its name in lower case; empty when it is not there. */
  header(name: string): string {
    return this.#headers.get(name) ?? '';
  }

  /** Whether the client is gone or was answered: what is done from now on, it would not hear of. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The token of an `Authorization: Bearer` header, null without one. */
  get bearer(): string | null {
    return /^Bearer +([^\s]+)$/i.exec(this.header('authorization'))?.[1] ?? null;
  }

  /** Whether the request has the media type, whatever its parameters. */
  hasContentType(type: string): boolean {
    return this.header('content-type').split(';', 1)[0]?.trim().toLowerCase() === type;
  }

  /** Begins to take the body, of which no more than has come already is held until `read`. Must be called before the handler returns. */
  receiveBody(maxBytes: number): RequestBody {
    this.#body = new RequestBody(this.#response, Number(this.header('content-length')), maxBytes);
    return this.#body;
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
   * sending its body is hung up on. A malformed request is answered at the end of the turn: where it ends is in doubt, and if something
   * follows that looks like another request while it has no answer, uWebSockets.js ends the connection.
   */
  send(status: number, body: string, headers: Readonly<Record<string, string>>): void {
    if (this.malformed === null) this.#send(status, body, headers);
    else setImmediate(() => this.#send(status, body, headers));
  }

  /** Hands the response to another protocol, unless the client is gone. */
  takeOver(act: (response: HttpResponse) => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#response.cork(() => act(this.#response));
  }

  #send(status: number, body: string, headers: Readonly<Record<string, string>>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#body?.giveUp();
    this.#response.cork(() => {
      this.#response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      this.#response.writeHeader('Cache-Control', 'no-store').writeHeader('X-Content-Type-Options', 'nosniff');
      if (this.#corsOrigins.includes(this.header('origin'))) {
        this.#response.writeHeader('Access-Control-Allow-Origin', this.header('origin')).writeHeader('Vary', 'Origin');
      }
      for (const [name, value] of Object.entries(headers)) this.#response.writeHeader(name, value);
      const isHungUp = NOT_PERMITTED.has(status) || (status >= 400 && this.#body?.isWhole !== true);
      if (this.#isHead) this.#response.endWithoutBody(Buffer.byteLength(body), isHungUp);
      else this.#response.end(body, isHungUp);
    });
  }
}

/** Whether the URL has a query string. */
export function hasQuery(request: HttpRequest): boolean {
  return (request.getQuery() ?? '') !== ''; // undefined without a `?`, whatever its types say
}

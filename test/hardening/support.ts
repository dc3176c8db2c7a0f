import { request } from 'node:http';
import { expect } from 'vitest';
import type { Clock } from '../../src/core/ports.ts';
import { type Frame, message, type TestClient } from '../support/client.ts';

const BOUND_MS = 10_000;
const OPEN = 1;

/** The reasons of docs/PROTOCOL.md, section 13. */
const CLOSE_NAME: Readonly<Record<number, string>> = {
  4001: 'token_expired',
  4002: 'token_revoked',
  4003: 'too_fast',
  4004: 'hello_timeout',
  4005: 'overloaded',
  4500: 'protocol_error',
  4501: 'unsupported_version',
  4502: 'token_missing',
  4007: 'token_not_yet_valid',
  4503: 'token_rejected',
};

/** A relay that gives connections which got their WELCOME. */
interface Connecting {
  connect(claims?: Readonly<Record<string, unknown>>): Promise<TestClient>;
}

/** A subscriber and a publisher on a channel of their own. */
export interface Innocents {
  readonly channel: string;
  readonly channelId: number;
  readonly sender: number;
  /** Exchanges messages, and fails unless everything that ever reached the pair is what the pair sent, numbered without a hole. */
  feltNothing(): Promise<void>;
}

let pairCount = 0;

/** Attaches a pair that has done nothing wrong. */
export async function innocent(relay: Connecting, claims: Readonly<Record<string, unknown>> = {}): Promise<Innocents> {
  const subscriber = await relay.connect({ ...claims, sub: 'innocent-reader' });
  const publisher = await relay.connect({ ...claims, sub: 'innocent-writer' });
  const channel = `innocent.${++pairCount}`;
  const { channelId } = await subscriber.attach(channel, 1);
  await publisher.attach(channel, 2);
  const seen = new Map<TestClient, number>();
  let unseen: Frame[] = [];
  let seq = 0;

  const news = (client: TestClient): Frame[] =>
    client.frames.slice(seen.get(client)).filter(([type]) => type !== 16 && type !== 17 && type !== 20);

  async function exchange(): Promise<void> {
    for (const word of ['one', 'two']) {
      const body = `${word} ${seq++}`;
      publisher.send(message(channelId, body));
      unseen.push([4, channelId, seq, publisher.sender, null, new Uint8Array(Buffer.from(body))]);
    }
    await publisher.flush();
    await subscriber.until(() => news(subscriber).length >= unseen.length, 'the exchange of the innocents');
  }
  await exchange();

  return {
    channel,
    channelId,
    sender: publisher.sender,
    async feltNothing() {
      await exchange();
      expect(news(subscriber)).toEqual(unseen);
      expect(news(publisher)).toEqual([]);
      unseen = [];
      for (const client of [subscriber, publisher]) seen.set(client, client.frames.length);
      expect([subscriber.socket.readyState, publisher.socket.readyState]).toEqual([OPEN, OPEN]);
    },
  };
}

/** What an ERROR frame must look like. */
export function error(status: number, code: string, ref: number | null = null, channelId: number | null = null): Frame {
  return [21, ref, status, code, expect.any(String), channelId];
}

/** What the JSON of an HTTP error must look like. */
export function refusal(status: number, code: string): Readonly<Record<string, unknown>> {
  return { status, code, detail: expect.any(String) };
}

/** Waits for a promise, but not for ever. */
async function bounded<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited for ${what}: nothing in ${BOUND_MS} ms`)), BOUND_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for a connection's end, and checks its code, its reason, and every frame since `from`. Returns the reason. */
export async function expectEnd(client: TestClient, code: number, frames: readonly Frame[], from = 0): Promise<string> {
  const closed = await bounded(client.closed, 'the close');
  expect(client.frames.slice(from)).toEqual(frames);
  expect(closed).toEqual({ code, reason: expect.stringMatching(new RegExp(`^${CLOSE_NAME[code]}(: .+)?$`)) });
  return closed.reason;
}

/** Checks that a connection goes on. */
export async function expectAlive(client: TestClient): Promise<void> {
  await client.flush();
  expect(client.socket.readyState).toBe(OPEN);
}

/** An answer read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** The JSON of an answer. */
export function jsonOf({ headers, text }: Answer): unknown {
  expect(headers['content-type']).toMatch(/^application\/json/);
  return JSON.parse(text);
}

export interface PostOptions {
  readonly method?: string;
  readonly token?: string | undefined;
  /** null sends no Content-Type. */
  readonly type?: string | null;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An HTTP request, by default a POST of one octet with a bearer token. */
export async function post(url: string, options: PostOptions = {}): Promise<Answer> {
  const { method = 'POST', token, type = 'application/octet-stream', body = 'x', headers = {} } = options;
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(BOUND_MS),
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(type === null ? {} : { 'content-type': type }),
      ...headers,
    },
    ...(method === 'GET' || method === 'HEAD' ? {} : { body: typeof body === 'string' ? Buffer.from(body) : body }),
  });
  return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
}

const UPGRADE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
  'sec-websocket-protocol': 'mayfly.v1',
};

/** Asks for an upgrade and reads the answer; status 101 means that it was granted, and the connection is hung up on. */
export function upgrade(url: string, headers: Readonly<Record<string, string | undefined>> = {}): Promise<Answer> {
  const all = Object.entries({ ...UPGRADE, ...headers }).filter(([, value]) => value !== undefined);
  const answered = new Promise<Answer>((resolve, reject) => {
    const asking = request(url.replace(/^ws/, 'http'), { headers: Object.fromEntries(all), agent: false });
    asking.on('error', reject);
    asking.on('upgrade', (response, socket) => {
      socket.destroy();
      resolve({ status: 101, headers: response.headers as Record<string, string>, text: '' });
    });
    asking.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: response.statusCode ?? 0, headers: response.headers as Record<string, string>, text });
      });
    });
    asking.end();
  });
  return bounded(answered, 'the answer to an upgrade');
}

/** Clocks that stand still until they are moved. */
export class ManualClock implements Clock {
  #nowMs = Date.now();
  #monotonicMs = 1000;
  #readCount = 0;

  readonly nowMs = (): number => {
    this.#readCount++;
    return this.#nowMs;
  };
  readonly monotonicMs = (): number => this.#monotonicMs;

  /** Lets time go by. */
  advance(ms: number): void {
    this.#nowMs += ms;
    this.#monotonicMs += ms;
  }

  /** Sets the clock of the machine, and no time goes by. */
  set(byMs: number): void {
    this.#nowMs += byMs;
  }

  /** Waits until the relay has looked at every connection since: it reads the time at each tick, and goes through them in five. */
  async looks(): Promise<void> {
    const before = this.#readCount;
    await expect.poll(() => this.#readCount - before, { interval: 5 }).toBeGreaterThan(6);
  }
}

import { beforeEach, describe, expect, it } from 'vitest';
import { RequestBody } from '../../../src/edge/request-body.ts';
import type { HttpResponse } from '../../../src/edge/uws.ts';

const WORDS = ['every ', 'byte ', 'of it'];
const SIZE = WORDS.join('').length;

/** A response that hands on chunks in memory of its own, as uWebSockets.js does. */
class FakeResponse {
  readonly memory: Uint8Array[] = [];
  #onData: (chunk: ArrayBuffer, isLast: boolean) => void = () => {};

  onData = (handler: (chunk: ArrayBuffer, isLast: boolean) => void): void => {
    this.#onData = handler;
  };
  pause = (): void => {};
  resume = (): void => {};

  send(text: string, isLast: boolean): void {
    const bytes = Uint8Array.from(Buffer.from(text));
    this.memory.push(bytes);
    this.#onData(bytes.buffer, isLast);
  }

  get isClean(): boolean {
    return this.memory.every((bytes) => bytes.every((byte) => byte === 0));
  }
}

/** Every copy that was made of a chunk while `act` ran. */
function copiesIn(act: () => void): Uint8Array[] {
  const copies: Uint8Array[] = [];
  const { slice } = ArrayBuffer.prototype;
  ArrayBuffer.prototype.slice = function (this: ArrayBuffer, ...range: [number, number?]) {
    const copy = slice.apply(this, range);
    copies.push(new Uint8Array(copy));
    return copy;
  };
  try {
    act();
  } finally {
    ArrayBuffer.prototype.slice = slice;
  }
  return copies;
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

describe('the body of a request', () => {
  let response: FakeResponse;
  let body: RequestBody;
  const begin = (maxBytes = 100): void => {
    response = new FakeResponse();
    body = new RequestBody(response as unknown as HttpResponse, SIZE, maxBytes);
  };
  beforeEach(() => begin());

  const sendAll = (): void => {
    for (const [i, word] of WORDS.entries()) response.send(word, i === WORDS.length - 1);
  };

  it('comes whole, and leaves nothing behind but what the reader has', async () => {
    const copies = copiesIn(sendAll);
    const read = await body.read();
    expect(Buffer.from(read as Uint8Array).toString()).toBe(WORDS.join(''));
    expect(copies).toHaveLength(WORDS.length);
    expect(copies.every(isZero)).toBe(true);
    expect(response.isClean).toBe(true);
    body.giveUp();
    expect(Buffer.from(read as Uint8Array).toString()).toBe(WORDS.join(''));
  });

  it('is the reader’s own when it came in one piece', async () => {
    const copies = copiesIn(() => response.send('in one piece', true));
    const read = await body.read();
    body.giveUp();
    expect(Buffer.from(read as Uint8Array).toString()).toBe('in one piece');
    (read as Uint8Array).fill(0);
    expect(copies.every(isZero) && response.isClean).toBe(true);
  });

  it.each(['giveUp', 'abandon'] as const)('leaves nothing behind when nobody reads it (%s)', (end) => {
    const copies = copiesIn(() => response.send('every ', false));
    expect(copies.every(isZero)).toBe(false);
    body[end]();
    expect(copies.every(isZero) && response.isClean).toBe(true);
    expect(copiesIn(() => response.send('what comes later', true))).toEqual([]);
    expect(response.isClean).toBe(true);
  });

  it('is never copied when it is too large', async () => {
    begin(SIZE - 1);
    expect(copiesIn(sendAll)).toEqual([]);
    expect(await body.read()).toMatchObject({ status: 413 });
    expect(response.isClean).toBe(true);
  });
});

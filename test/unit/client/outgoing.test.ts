import { describe, expect, it } from 'vitest';
import { Outgoing } from '../../../src/client/outgoing.ts';
import type { SocketLike } from '../../../src/client/socket.ts';

/** A socket that writes down what it is given. */
class FakeSocket implements SocketLike {
  readonly sent: string[] = [];
  binaryType = '';
  readyState = 1;
  bufferedAmount = 0;
  onopen = null;
  onmessage = null;
  onerror = null;
  onclose = null;

  send(data: Uint8Array): void {
    this.sent.push(Buffer.from(data).toString());
  }

  close(): void {
    this.readyState = 3;
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A promise to be kept or broken by hand. */
function promised(): { promise: Promise<Uint8Array>; keep: (text: string) => void; fail: (error: Error) => void } {
  let [keep, fail]: [(text: string) => void, (error: Error) => void] = [() => {}, () => {}];
  const promise = new Promise<Uint8Array>((resolve, reject) => {
    keep = (text) => resolve(bytes(text));
    fail = reject;
  });
  return { promise, keep, fail };
}

describe('Outgoing', () => {
  it('joins what one tick gives, in its order, and waits for what is not ready', async () => {
    const socket = new FakeSocket();
    const outgoing = new Outgoing(socket, 100, () => {});
    const slow = promised();
    const all = [outgoing.send(bytes('a')), outgoing.send(slow.promise), outgoing.send(bytes('c'))];
    await Promise.resolve();
    expect(socket.sent).toEqual([]);
    slow.keep('b');
    await Promise.all(all);
    expect(socket.sent).toEqual(['abc']);
  });

  it('never lets a later frame pass an earlier one that takes longer', async () => {
    const socket = new FakeSocket();
    const outgoing = new Outgoing(socket, 100, () => {});
    const slow = promised();
    const first = outgoing.send(slow.promise);
    await Promise.resolve();
    await Promise.resolve();
    const second = outgoing.send(bytes('second'));
    slow.keep('first ');
    await Promise.all([first, second]);
    expect(socket.sent.join('')).toBe('first second');
  });

  it('leaves out a frame that fails, tells its sender alone, and sends the others', async () => {
    const socket = new FakeSocket();
    const outgoing = new Outgoing(socket, 100, () => {});
    const bad = promised();
    const sending = [outgoing.send(bytes('a')), outgoing.send(bad.promise), outgoing.send(bytes('c'))];
    bad.fail(new Error('no key'));
    const results = await Promise.allSettled(sending);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(socket.sent).toEqual(['ac']);
  });

  it('fills messages up to the limit, and sends a frame over it alone', async () => {
    const socket = new FakeSocket();
    const outgoing = new Outgoing(socket, 4, () => {});
    await Promise.all(['aa', 'bb', 'c', 'dddddd', 'e'].map((text) => outgoing.send(bytes(text))));
    expect(socket.sent).toEqual(['aabb', 'c', 'dddddd', 'e']);
  });

  it('holds senders back while the socket is full', async () => {
    const socket = new FakeSocket();
    const outgoing = new Outgoing(socket, 100, () => {});
    socket.bufferedAmount = 2 ** 30;
    let isThrough = false;
    const first = outgoing.send(bytes('a')).then(() => {
      isThrough = true;
    });
    const second = outgoing.send(bytes('b'));
    await expect.poll(() => socket.sent).toEqual(['ab']);
    const third = outgoing.send(bytes('c'));
    expect([isThrough, socket.sent]).toEqual([false, ['ab']]);
    socket.bufferedAmount = 0;
    await Promise.all([first, second, third]);
    expect(socket.sent).toEqual(['ab', 'c']);
  });

  it('rejects with not_connected once the socket is gone', async () => {
    const socket = new FakeSocket();
    const outgoing = new Outgoing(socket, 100, () => {});
    const sending = outgoing.send(bytes('a'));
    socket.close();
    await expect(sending).rejects.toMatchObject({ code: 'not_connected' });
    await outgoing.drained();
    expect(socket.sent).toEqual([]);
  });
});

import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { framesIn } from '../../../src/demo/frames.ts';
import { message } from '../../support/client.ts';

const concat = (...frames: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(frames));

describe('the frames in a WebSocket message', () => {
  it('are read one behind the other, those the page does not show left out', () => {
    const claims = Buffer.from(JSON.stringify({ sub: 'guest-a_b-c' })).toString('base64url');
    const hello = encode([1, 1, `e30.${claims}.signature`]);
    const attach = encode([2, 300, 'uVIu_-1tsrsq8wXTXHbioM', 15]);
    expect(framesIn(concat(hello, attach, encode([6, 70000])))).toEqual([
      { type: 'hello', size: hello.length, user: 'guest-a_b-c' },
      { type: 'attach', size: attach.length, channel: 'uVIu_-1tsrsq8wXTXHbioM' },
    ]);
    const welcome = encode([16, 0x7fff_ffff, { boot: 'x', expiry: 1, limits: {} }]);
    expect(framesIn(concat(encode([24, 5, 2]), welcome))).toEqual([{ type: 'welcome', sender: 0x7fff_ffff }]);
  });

  it('are read though the token is none', () => {
    for (const token of ['', 'a.b.c', 'a.e30.c', 'a.*.c'])
      expect(framesIn(encode([1, 1, token]))).toMatchObject([{ type: 'hello', user: 'unknown' }]);
  });

  it.each([
    [0, null],
    [255, null],
    [256, null],
    [70_000, null],
    [9, new Uint8Array(3)],
    [300, new Uint8Array(400)],
  ])('have the whole body of a message of %i bytes, whatever stands ahead of it', (length, envelope) => {
    const body = Uint8Array.from({ length }, (_, i) => i);
    const sent = message(5, body, envelope);
    sent.writeBigUInt64BE(2n ** 33n + 1n, 8);
    sent.writeUInt32BE(1_976_759_168, 17);
    expect(framesIn(concat(sent, encode([20, 1])))).toEqual([
      { type: 'message', seq: 2 ** 33 + 1, sender: 1_976_759_168, body },
    ]);
  });
});

import { decode, encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import {
  encodeMessage,
  isMessage,
  messageBytes,
  messageChannelId,
  messageEnd,
  stampMessage,
} from '../../../src/protocol/message.ts';
import { message } from '../../support/client.ts';

const zeros = (length: number): Uint8Array => new Uint8Array(length);
const isWhole = (bytes: Uint8Array): boolean => isMessage(bytes, 0) && messageEnd(bytes, 0) === bytes.length;

describe('the one legal encoding of MESSAGE', () => {
  it.each([
    ['without an envelope', message(7, zeros(3)), [0, 1, 2, 7, 16, 21, 22, 23]],
    ['with an envelope', message(7, zeros(3), zeros(2)), [0, 1, 2, 7, 16, 21, 22, 25, 26]],
    ['with a body of 256 bytes', message(7, zeros(256)), [0, 1, 2, 7, 16, 21, 22, 23, 24]],
    ['with a body of 65,536 bytes', message(7, zeros(65_536)), [0, 1, 2, 7, 16, 21, 22, 23, 24, 25, 26]],
  ])('%s loses its meaning when any structural byte is another', (_, frame, structural) => {
    expect(isWhole(frame)).toBe(true);
    const accepted: string[] = [];
    for (const at of structural) {
      for (let byte = 0; byte < 256; byte++) {
        const changed = Uint8Array.from(frame);
        changed[at] = byte;
        if (byte !== frame[at] && isWhole(changed)) accepted.push(`${byte.toString(16)} at ${at}`);
      }
    }
    expect(accepted).toEqual([]);
  });

  it('is refused when cut short anywhere', () => {
    const frame = message(7, 'body', Buffer.from('env'));
    for (let length = 0; length < frame.length; length++) expect(messageEnd(frame.subarray(0, length), 0)).toBe(-1);
  });

  it.each([
    ['a body in bin16 that bin8 would hold', `c0c500ff${'00'.repeat(255)}`],
    ['a body in bin32 that bin16 would hold', `c0c60000ffff${'00'.repeat(65_535)}`],
    ['an envelope in bin16 that bin8 would hold', 'c5000100c400'],
    ['a body that is nil', 'c0c0'],
    ['a body that is a str', 'c0a161'],
    ['an envelope that is a str', 'a161c400'],
    ['no body', 'c0'],
    ['a bin32 length over 2^31', 'c0c6ffffffff00'],
  ])('refuses %s', (_, tail) => {
    const header = message(7, zeros(0)).subarray(0, 21);
    expect(messageEnd(Buffer.concat([header, Buffer.from(tail, 'hex')]), 0)).toBe(-1);
  });

  it('may follow another frame, and ends where its body ends', () => {
    const bytes = Buffer.concat([encode([6, 1]), message(7, 'one'), message(8, 'two')]);
    expect(isMessage(bytes, 3)).toBe(true);
    const end = messageEnd(bytes, 3);
    expect(end).toBe(3 + message(7, 'one').length);
    expect(messageEnd(bytes, end)).toBe(bytes.length);
    expect([messageChannelId(bytes, 3), messageChannelId(bytes, end)]).toEqual([7, 8]);
  });
});

describe('a bin at the edge of its width', () => {
  const sizes = [0, 1, 255, 256, 65_535, 65_536];
  it.each(sizes.flatMap((body) => [null, ...sizes].map((envelope) => [envelope, body] as const)))(
    'is written as msgpack libraries write it: envelope %j, body %j',
    (envelopeSize, bodySize) => {
      const envelope = envelopeSize === null ? null : zeros(envelopeSize).fill(0xc4);
      const body = zeros(bodySize).fill(0x96);
      const expected = message(0x7fff_ffff, body, envelope);
      expect(Buffer.from(encodeMessage(0x7fff_ffff, envelope, body)).equals(expected)).toBe(true);
      expect(messageBytes(envelope, bodySize)).toBe(expected.length);
      expect(isWhole(expected)).toBe(true);
      expect(decode(Uint8Array.from(expected))).toEqual([4, 0x7fff_ffff, 0, 0, envelope, body]);
    },
  );
});

describe('stamping', () => {
  it.each([1, 255, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 40 + 2 ** 31, 2 ** 53 - 1])(
    'writes seq %d and the sender, and nothing else',
    (seq) => {
      const before = message(0x1234_5678, 'body', Buffer.from('env'));
      const bytes = Buffer.concat([Buffer.from('c0c0', 'hex'), before, Buffer.from('c0c0', 'hex')]);
      stampMessage(bytes, 2, seq, 0x7fff_fffe);
      const stamped = bytes.subarray(2, -2);
      expect(decode(Uint8Array.from(stamped))).toEqual([
        4,
        0x1234_5678,
        seq,
        0x7fff_fffe,
        encoded('env'),
        encoded('body'),
      ]);
      expect(isWhole(stamped)).toBe(true);
      expect(bytes.subarray(0, 2).toString('hex') + bytes.subarray(-2).toString('hex')).toBe('c0c0c0c0');
    },
  );

  it('overwrites what a client put in seq and sender', () => {
    const bytes = message(7, 'body');
    bytes.fill(0xff, 8, 16).fill(0xff, 17, 21);
    stampMessage(bytes, 0, 3, 0);
    expect(decode(Uint8Array.from(bytes))).toEqual([4, 7, 3, 0, null, encoded('body')]);
  });
});

describe('a channelId', () => {
  it('over 31 bits is none that a channel can have', () => {
    for (const id of [0x8000_0000, 0xffff_ffff]) expect(messageChannelId(message(id, ''), 0)).toBeLessThan(1);
  });
});

function encoded(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

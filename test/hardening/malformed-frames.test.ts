import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { error, expectEnd, type Innocents, innocent } from './support.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

const MALFORMED: readonly (readonly [name: string, bytes: string])[] = [
  ['a byte that msgpack never uses', 'c1'],
  ['garbage', 'c1 ff 00 de ad be ef c1'],
  ['junk behind a whole frame', '92 06 05 00'],
  ['a frame cut short', '93 06'],
  ['a frame cut short inside an integer', '92 06 ce 00 00'],
  ['a frame cut short inside a string', '94 02 01 a5 61 62'],
  ['nil in place of a frame', 'c0'],
  ['an integer in place of a frame', '2a'],
  ['a string in place of a frame', 'a3 61 62 63'],
  ['a map in place of a frame', '82 00 06 01 02'],
  ['an extension in place of a frame', 'd4 01 00'],
  ['an array of none', '90'],
  ['an array of one', '91 06'],
  ['PING with an element too many', '93 06 01 02'],
  ['ATTACH with an element missing', '93 02 01 a1 61'],
  ['ATTACH with an element too many', '95 02 01 a1 61 01 01'],
  ['DETACH with an element missing', '92 03 01'],
  ['RENEW with an element missing', '92 05 01'],
  ['an unknown type', '92 07 01'],
  ['the largest unknown type', '92 7f 01'],
  ['type 0', '92 00 01'],
  ['a frame only the relay sends', '92 14 01'],
  ['a type that is not a positive fixint', '92 cc 06 01'],
  ['a type that is a string', '92 a1 06 01'],
  ['a type that is negative', '92 ff 01'],
  ['a ref that is nil', '92 06 c0'],
  ['a ref that is true', '92 06 c3'],
  ['a ref that is a string', '92 06 a1 31'],
  ['a ref that is a bin', '92 06 c4 01 01'],
  ['a ref that is a float32', '92 06 ca 3f 80 00 00'],
  ['a ref that is a float64', '92 06 cb 3f f0 00 00 00 00 00 00'],
  ['a ref that is NaN', '92 06 cb 7f f8 00 00 00 00 00 00'],
  ['a ref that is negative', '92 06 ff'],
  ['a ref that is negative in 64 bits', '92 06 d3 ff ff ff ff ff ff ff ff'],
  ['a ref of 2^32', '92 06 cf 00 00 00 01 00 00 00 00'],
  ['a ref of 2^53', '92 06 cf 00 20 00 00 00 00 00 00'],
  ['a ref of 2^64-1', '92 06 cf ff ff ff ff ff ff ff ff'],
  ['a ref that is an array', '92 06 91 01'],
  ['a ref that is a map', '92 06 80'],
  ['a ref that is an extension', '92 06 d4 01 00'],
  ['a ref that is an extension of type 0x72', '92 06 d4 72 40'],
  ['a ref that is a timestamp', '92 06 d6 ff 00 00 00 00'],
  ['a channel that is an integer', '94 02 01 05 01'],
  ['a channel that is a bin', '94 02 01 c4 01 61 01'],
  ['a channel that is nil', '94 02 01 c0 01'],
  ['modes that are a string', '94 02 01 a1 61 a1 31'],
  ['modes that are a float', '94 02 01 a1 61 ca 3f 80 00 00'],
  ['a channelId that is a string', '93 03 01 a1 31'],
  ['a token that is an integer', '93 05 01 01'],
  ['a token that is a bin', '93 05 01 c4 01 61'],
  ['a PING as array16', 'dc 00 02 06 09'],
  ['a PING as array32', 'dd 00 00 00 02 06 09'],
  ['a ref in a signed format', '92 06 d0 01'],
  ['an array16 that declares 65,535', 'dc ff ff'],
  ['an array32 that declares 2^32-1', 'dd ff ff ff ff'],
  ['an array32 that declares 2^32-1 and holds some', `dd ff ff ff ff ${'06'.repeat(10_000)}`],
  ['a map32 that declares 2^32-1', 'df ff ff ff ff'],
  ['a map32 inside a frame', '92 06 df ff ff ff ff'],
  ['a str32 that declares 2^32-1', '94 02 01 db ff ff ff ff'],
  ['a bin32 that declares 2^32-1', '93 05 01 c6 ff ff ff ff'],
  ['an ext32 that declares 2^32-1', '92 06 c9 ff ff ff ff 01'],
  ['arrays nested 60,000 deep', `92 06 ${'91'.repeat(60_000)} 01`],
  ['arrays32 nested 10,000 deep', `92 06 ${'dd00000001'.repeat(10_000)} 01`],
  ['maps nested 10,000 deep', `92 06 ${'8101'.repeat(10_000)} 01`],
];

describe('a malformed frame', () => {
  let relay: TestRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  it.each(MALFORMED)('closes only its sender, behind the answer to the frame ahead: %s', async (_name, bytes) => {
    const abuser = await relay.connect();
    abuser.send([6, 77], hex(bytes));
    const ahead = bytes.startsWith('92 06 05') ? [[20, 77], [20, 5]] : [[20, 77]]; // biome-ignore format: pairs
    await expectEnd(abuser, 4500, [...ahead, error(400, 'protocol_error')], 1);
  });

  it.each(['', 'hello', '\x92\x06\x01'])('closes on a text message, before and after WELCOME: %j', async (text) => {
    const [early, late] = [await relay.open(), await relay.connect()];
    for (const client of [early, late]) client.socket.send(text);
    await expectEnd(early, 4500, [error(400, 'protocol_error')]);
    await expectEnd(late, 4500, [error(400, 'protocol_error')], 1);
  });

  it('closes on an empty message, before and after WELCOME', async () => {
    const [early, late] = [await relay.open(), await relay.connect()];
    for (const client of [early, late]) client.socket.send(Buffer.alloc(0));
    await expectEnd(early, 4500, [error(400, 'protocol_error')]);
    await expectEnd(late, 4500, [error(400, 'protocol_error')], 1);
  });

  it('does not undo the ATTACH and MESSAGE ahead of it, nor reach the frames behind it', async () => {
    const abuser = await relay.connect();
    const witness = await relay.connect();
    const { channelId } = await witness.attach('ahead', 1);
    abuser.send([2, 1, 'ahead', 2], message(channelId, 'ahead'), hex('c1'), message(channelId, 'behind'), [6, 2]);
    await expectEnd(abuser, 4500, [[17, 1, channelId, 2, 0, 2], error(400, 'protocol_error')], 1);
    await witness.nextOf(4);
    await witness.flush();
    expect(witness.messages()).toEqual([
      [4, channelId, 1, expect.any(Number), null, new Uint8Array(Buffer.from('ahead'))],
    ]);
  });

  it('is not made by any msgpack width of an integer', async () => {
    const client = await relay.connect();
    const refs = [0, 0x3f, 0x40, 0x72, 0x7f];
    for (const ref of refs) client.send(Buffer.from([0x92, 6, ref]));
    client.send(hex('92 06 cc 01  92 06 cd 00 02  92 06 ce 00 00 00 03  92 06 cf 00 00 00 00 00 00 00 04'));
    client.send(hex('92 06 ce ff ff ff ff  92 06 cf 00 00 00 00 ff ff ff ff  92 06 cc ff'));
    await client.until(() => client.frames.at(-1)?.[1] === 255, 'the last PONG');
    const expected = [...refs, 1, 2, 3, 4, 0xffff_ffff, 0xffff_ffff, 255];
    expect(client.frames.slice(1)).toEqual(expected.map((ref) => [20, ref]));
  });
});

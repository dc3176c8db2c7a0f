import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { error, expectEnd, type Innocents, innocent } from './support.ts';

interface Parts {
  readonly head: string;
  readonly id: string;
  readonly seq: string;
  readonly sender: string;
  readonly envelope: string;
  readonly body: string;
}

/** The one legal encoding with some of its parts replaced; `ID` stands for the channelId in 8 digits. */
function bytesOf(parts: Partial<Parts>, channelId: number): Buffer {
  const legal = {
    head: '9604',
    id: 'ceID',
    seq: `cf${'00'.repeat(8)}`,
    sender: 'ce00000000',
    envelope: 'c0',
    body: 'c40178',
  };
  const text = Object.values({ ...legal, ...parts }).join('');
  return Buffer.from(text.replaceAll('ID', channelId.toString(16).padStart(8, '0')), 'hex');
}

const ILLEGAL: readonly (readonly [name: string, parts: Partial<Parts>])[] = [
  ['an array of 5', { head: '9504' }],
  ['an array of 7', { head: '9704', body: 'c40178c0' }],
  ['an array16', { head: 'dc000604' }],
  ['an array32', { head: 'dd0000000604' }],
  ['a type in 8 bits', { head: '96cc04' }],
  ['a channelId in 64 bits', { id: 'cf00000000ID' }],
  ['a channelId as fixint', { id: '01' }],
  ['a channelId as int32', { id: 'd2ID' }],
  ['a channelId as float32', { id: 'caID' }],
  ['a channelId as str', { id: 'a4ID' }],
  ['a seq as fixint', { seq: '00' }],
  ['a seq in 32 bits', { seq: 'ce00000000' }],
  ['a seq as int64', { seq: `d3${'00'.repeat(8)}` }],
  ['a seq as float64', { seq: `cb${'00'.repeat(8)}` }],
  ['a sender as fixint', { sender: '00' }],
  ['a sender in 16 bits', { sender: 'cd0000' }],
  ['a sender in 64 bits', { sender: `cf${'00'.repeat(8)}` }],
  ['a sender that is nil', { sender: 'c0' }],
  ['an envelope as str', { envelope: 'a178' }],
  ['an envelope as array', { envelope: '90' }],
  ['an envelope as map', { envelope: '80' }],
  ['an envelope that is false', { envelope: 'c2' }],
  ['an envelope as extension', { envelope: 'd40100' }],
  ['an envelope longer than need be', { envelope: 'c5000178' }],
  ['an envelope that swallows the body', { envelope: 'c404' }],
  ['an envelope that declares 2^32-1', { envelope: 'c6ffffffff' }],
  ['an envelope that declares 2^31', { envelope: 'c680000000' }],
  ['no body', { body: '' }],
  ['a body that is nil', { body: 'c0' }],
  ['a body as str', { body: 'a178' }],
  ['a body as str8', { body: 'd90178' }],
  ['a body as array', { body: '9178' }],
  ['a body as extension', { body: 'd40178' }],
  ['a body cut short ahead of its length', { body: 'c4' }],
  ['a body cut short inside its length', { body: 'c501' }],
  ['a body one byte longer than the frame', { body: 'c40278' }],
  ['a body far longer than the frame', { body: 'c4ff78' }],
  ['a body of 1 byte in bin16', { body: 'c5000178' }],
  ['a body of 1 byte in bin32', { body: 'c60000000178' }],
  ['a body of 0 bytes in bin16', { body: 'c50000' }],
  ['a body of 255 bytes in bin16', { body: `c500ff${'78'.repeat(255)}` }],
  ['a body of 65,535 bytes in bin32', { body: `c60000ffff${'78'.repeat(65_535)}` }],
  ['a body that declares 2^32-1', { body: 'c6ffffffff78' }],
  ['a body that declares 2^31', { body: 'c68000000078' }],
  ['a body that declares 2^31-1', { body: 'c67fffffff78' }],
  ['a byte behind the body', { body: 'c4017800' }],
];

describe('a MESSAGE that is not in its one legal encoding', () => {
  let relay: TestRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  it.each(ILLEGAL)('closes its sender: %s', async (_name, parts) => {
    const abuser = await relay.connect();
    const witness = await relay.connect();
    const { channelId } = await witness.attach('target', 1);
    const attached = await abuser.attach('target', 1 | 2 | 8);
    const isJunkBehind = parts.body === 'c4017800'; // then the MESSAGE itself is whole
    abuser.send([6, 77], bytesOf(parts, channelId));
    const bodies = isJunkBehind ? ['x'] : [];
    await expectEnd(abuser, 4500, expect.arrayContaining([[20, 77], error(400, 'protocol_error')]), 2);
    expect(abuser.frames.filter(([type]) => type === 21)).toHaveLength(1);
    await witness.until(() => witness.messages().length === bodies.length, 'what came before');
    await witness.flush();
    expect(witness.bodies()).toEqual(bodies);
    expect(attached.channelId).toBe(channelId);
    witness.terminate();
  });

  it('is judged before its channelId: an unknown channel does not make it legal', async () => {
    const abuser = await relay.connect();
    abuser.send(bytesOf({ body: 'a178' }, 12_345));
    await expectEnd(abuser, 4500, [error(400, 'protocol_error')], 1);
  });

  it.each([1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0])('is not one with a channelId nobody has: %i', async (id) => {
    const sender = await relay.connect();
    sender.send(message(id, 'x'));
    expect(await sender.nextOf(21)).toEqual(error(404, 'not_attached', null, id));
    await sender.flush();
  });

  it('is not one with an envelope, with lying seq and sender, or with a body at a width boundary', async () => {
    const [sender, witness] = [await relay.connect(), await relay.connect()];
    const { channelId } = await witness.attach('legal', 1);
    await sender.attach('legal', 2);
    sender.send(bytesOf({ seq: `cf${'ff'.repeat(8)}`, sender: 'ceffffffff', envelope: 'c4026162' }, channelId));
    const sizes = [0, 255, 256, 65_000];
    for (const size of sizes) sender.send(message(channelId, Buffer.alloc(size, 7)));
    await sender.flush();
    await witness.until(() => witness.messages().length === 5, 'all five');
    const envelope = new Uint8Array(Buffer.from('ab'));
    expect(witness.messages()[0]).toEqual([4, channelId, 1, sender.sender, envelope, new Uint8Array(Buffer.from('x'))]);
    expect(witness.messages().map((frame) => frame[2])).toEqual([1, 2, 3, 4, 5]);
    const received = witness.messages().slice(1);
    expect(received.map((frame) => (frame[5] as Uint8Array).length)).toEqual(sizes);
  });
});

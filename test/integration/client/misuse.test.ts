import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelKey, connect, KeyRing, type Relay } from '../../../src/client/node.ts';
import { ScriptedRelay } from '../../support/scripted-relay.ts';

/** What JavaScript may give where bytes or a text are expected, and what the error calls it. */
const NO_DATA: readonly (readonly [string, unknown])[] = [
  ['Array', [1, 2]],
  ['Object', JSON.parse(JSON.stringify(Buffer.from('hello')))],
  ['Object', { text: 'hello' }],
  ['Float32Array', new Float32Array(2)],
  ['ArrayBuffer', new ArrayBuffer(2)],
  ['DataView', new DataView(new ArrayBuffer(2))],
  ['Promise', Promise.resolve('hello')],
  ['Number', 7],
  ['Boolean', true],
  ['Null', null],
  ['Undefined', undefined],
];

describe('a program without types', () => {
  const key = ChannelKey.random();
  let relay: ScriptedRelay;
  let client: Relay;
  beforeEach(async () => {
    relay = await ScriptedRelay.start();
    client = await connect(relay.url, { token: 'token' });
  });
  afterEach(async () => {
    await client.close();
    await relay.stop();
  });

  const messageCount = (): number => relay.latest.frames.filter(([type]) => type === 4).length;

  it.each([{ key }, { plaintext: true }] as const)(
    'publishes nothing that is not bytes or a text, with %o',
    async (how) => {
      const channel = await client.channel('room', how);
      for (const [type, given] of NO_DATA) {
        const refused = { name: 'TypeError', message: `expected a Uint8Array or a string, got ${type}` };
        await expect(channel.publish(given as never)).rejects.toMatchObject(refused);
      }
      for (const [type, envelope] of [...NO_DATA, ['String', 'to'] as const].filter(([name]) => name !== 'Undefined'))
        await expect(channel.publish('x', { envelope: envelope as never })).rejects.toThrow(
          `a Uint8Array, got ${type}`,
        );
      for (const options of [new Uint8Array(2), 'to', null])
        await expect(channel.publish('x', options as never)).rejects.toThrow('expected options, got');
      await client.flush();
      expect(messageCount()).toBe(0);
      for (const like of [
        Buffer.from('hello'),
        runInNewContext('new Uint8Array(3)'),
        new Uint8Array(new SharedArrayBuffer(2)),
      ])
        await channel.publish(like, { envelope: like });
      await client.flush();
      expect(messageCount()).toBe(3);
    },
  );

  it('enters with nothing else either, and what it entered with before stays', async () => {
    const { presence } = await client.channel('room', { key, presence: true });
    await presence.enter('alice');
    await client.flush();
    const before = messageCount();
    for (const [type, given] of NO_DATA)
      await expect(presence.enter(given as never)).rejects.toMatchObject({
        name: 'TypeError',
        message: `expected a Uint8Array or a string, got ${type}`,
      });
    await client.flush();
    expect(messageCount()).toBe(before);
  });

  it.each([
    ['bytes', new Uint8Array(32), 'Uint8Array'],
    ['a text', 'a 32-character text, for a key !', 'String'],
    ['null', null, 'Null'],
    ['what looks like a key', Object.create(ChannelKey.prototype), 'ChannelKey'],
    ['what looks like a ring', Object.create(KeyRing.prototype), 'KeyRing'],
  ])('has no channel with %s for a key, and reads why', async (_, given, type) => {
    const refused = client.channel('room', { key: given as never });
    await expect(refused).rejects.toMatchObject({
      code: 'key_required',
      message: expect.stringMatching(`got ${type}$`),
    });
    expect(relay.latest.frames).toEqual([]);
  });

  it('has none with a key or ring of another copy of the package, and reads that', async () => {
    vi.resetModules();
    const copy = await import('../../../src/client/node.ts');
    const foreign = copy.ChannelKey.random();
    for (const given of [foreign, new copy.KeyRing(foreign)])
      await expect(client.channel('room', { key: given as never })).rejects.toThrow(/of this copy of the package/);
  });
});

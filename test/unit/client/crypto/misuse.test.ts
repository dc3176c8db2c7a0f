import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { blindName } from '../../../../src/client/crypto/blind.ts';
import { ChannelCipher } from '../../../../src/client/crypto/channel-cipher.ts';
import { ChannelKey } from '../../../../src/client/crypto/channel-key.ts';
import { EncryptionError } from '../../../../src/client/crypto/errors.ts';
import { KeyRing } from '../../../../src/client/crypto/key-ring.ts';
import { brief, bytes, CHANNEL, frame, KEY, member } from './members.ts';

const SECRET = 'a 32-character text, for a key !';

/** What JavaScript, JSON.parse or the environment may give in the place of bytes, and what it is called. */
const NO_BYTES: readonly (readonly [string, unknown])[] = [
  ['String', SECRET],
  ['String', Buffer.from(SECRET).toString('base64')],
  ['Array', Array.from({ length: 32 }, (_, i) => i)],
  ['Array', Array.from({ length: 32 }, () => Math.random())],
  ['Object', JSON.parse(JSON.stringify(new Uint8Array(32).fill(7)))],
  ['Object', JSON.parse(JSON.stringify(Buffer.alloc(32, 7)))],
  ['Object', { length: 32, buffer: new ArrayBuffer(32), byteOffset: 0, byteLength: 32 }],
  ['Object', Object.create(Uint8Array.prototype, { length: { value: 32 }, [Symbol.toStringTag]: { value: 'Object' } })],
  ['Uint8Array', Object.create({ [Symbol.toStringTag]: 'Uint8Array' }, { length: { value: 32 } })],
  ['Float32Array', new Float32Array(8)],
  ['Float32Array', new Float32Array(32).map(() => Math.random())],
  ['Uint16Array', new Uint16Array(32)],
  ['Int8Array', new Int8Array(32)],
  ['ArrayBuffer', new ArrayBuffer(32)],
  ['SharedArrayBuffer', new SharedArrayBuffer(32)],
  ['DataView', new DataView(new ArrayBuffer(32))],
  ['ChannelKey', KEY],
  ['Promise', Promise.resolve(new Uint8Array(32))],
  ['Number', 32],
  ['Null', null],
  ['Undefined', undefined],
];

const OTHER_REALM = runInNewContext('new Uint8Array(34).map((_, i) => i).subarray(1, 33)') as Uint8Array;

/** A call that a program of no types could make. */
type Loose = (...args: readonly unknown[]) => unknown;

/** The error of a call, however it comes. */
async function errorOf(act: () => unknown): Promise<EncryptionError> {
  try {
    await act();
  } catch (error) {
    return error as EncryptionError;
  }
  throw new Error('it was taken');
}

afterEach(() => vi.resetModules());

describe('in the place of bytes,', () => {
  const salt = new Uint8Array(16);
  const takers: readonly (readonly [string, string, Loose])[] = [
    ['ChannelKey.fromBytes', 'bad_key', (given) => ChannelKey.fromBytes(given as never)],
    ['blindName', 'bad_key', (given) => blindName(given as never, 'room.a')],
    ['fromPassphrase', 'bad_passphrase', (given) => ChannelKey.fromPassphrase(SECRET, { salt: given as never })],
    ['seal', 'bad_data', (given) => member().seal('message', given as never)],
    ['open', 'bad_data', (given) => member().open(frame(given as never))],
  ];
  it.each(takers)('%s takes nothing else, and says what it got, not its value', async (_, code, take) => {
    for (const [type, given] of NO_BYTES) {
      const error = await errorOf(() => take(given));
      expect([type, error.code, error.message]).toEqual([type, code, expect.stringContaining(`got ${type}`)]);
      expect(error).toBeInstanceOf(EncryptionError);
      expect(error.message).not.toContain(SECRET);
    }
  });

  it('an envelope is nothing else either, but null', async () => {
    const body = await member().seal('message', bytes('x'));
    for (const [type, envelope] of NO_BYTES.filter(([name]) => name !== 'Null' && name !== 'Undefined')) {
      const sealing = await errorOf(() => member().seal('message', bytes('x'), envelope as never));
      const opening = await errorOf(() => member().open(frame(body, { envelope: envelope as never })));
      for (const { code, message } of [sealing, opening])
        expect([code, message]).toEqual(['bad_data', `expected an envelope as a Uint8Array, got ${type}`]);
    }
  });

  it.each([
    ['a Buffer', Buffer.from(OTHER_REALM)],
    ['a part of a Buffer in the pool', Buffer.concat([Buffer.of(9), OTHER_REALM]).subarray(1)],
    ['an array of another realm', OTHER_REALM],
    ['an array that threads share', new Uint8Array(new SharedArrayBuffer(32)).map((_, i) => i + 1)],
  ])('%s is as good as a Uint8Array', async (_, given) => {
    const plain = Uint8Array.from(given);
    const shared = new Uint8Array(new SharedArrayBuffer(32));
    shared.set(plain);
    for (const like of [given, shared]) {
      expect(ChannelKey.fromBytes(like).toBytes()).toEqual(plain);
      expect(await blindName(like, 'room.a')).toBe(await blindName(plain, 'room.a'));
      const [alice, bob] = [member(), member()];
      const body = await alice.seal('message', like, like);
      const opened = await bob.open(frame(Buffer.from(body), { envelope: like }));
      expect(opened).toEqual({ kind: 'message', data: plain });
      const [one, other] = await Promise.all(
        [like, plain].map((of) => ChannelKey.fromPassphrase(SECRET, { salt: of })),
      );
      expect(one?.toBytes()).toEqual(other?.toBytes());
    }
  });

  it('what was given may change at once', async () => {
    const body = (await member().seal('message', bytes('hello'), bytes('to'))).slice();
    const envelope = bytes('to');
    const opening = member().open(frame(body, { envelope }));
    const same = ChannelKey.fromPassphrase(SECRET, { salt });
    body.fill(0);
    envelope.fill(0);
    salt.fill(9);
    expect(brief(await opening)).toBe('hello');
    expect((await same).toBytes()).toEqual(
      (await ChannelKey.fromPassphrase(SECRET, { salt: new Uint8Array(16) })).toBytes(),
    );
  });

  it('a length that is no key is named', async () => {
    expect((await errorOf(() => ChannelKey.fromBytes(new Uint8Array(31)))).message).toContain('got 31');
    const detached = new Uint8Array(32);
    structuredClone(detached, { transfer: [detached.buffer] });
    expect((await errorOf(() => ChannelKey.fromBytes(detached))).message).toContain('got 0');
  });
});

describe('in the place of a key or ring,', () => {
  const no = [
    'a key',
    new Uint8Array(32),
    {},
    null,
    undefined,
    7,
    Object.create(ChannelKey.prototype),
    new Proxy(KEY, {}),
  ];

  it.each(no.map((given) => [given]))('%s is refused, and changes nothing', async (given) => {
    const ring = new KeyRing(KEY);
    const takers: Loose[] = [
      () => new KeyRing(given as never),
      () => ring.prepare(given as never),
      () => ring.rotate(given as never),
      () => new ChannelCipher({ channel: CHANNEL, ring: given as never }),
    ];
    for (const take of takers) expect((await errorOf(() => take())).code).toBe('bad_key');
    expect([ring.generation, ring.key, ring.find(0), ring.find(1)]).toEqual([0, KEY, KEY, 'unknown_generation']);
  });

  it('one of another copy of the package is refused in so many words', async () => {
    vi.resetModules();
    const copy = await import('../../../../src/client/crypto/channel-key.ts');
    const rings = await import('../../../../src/client/crypto/key-ring.ts');
    const foreign = copy.ChannelKey.random();
    expect(foreign).not.toBeInstanceOf(ChannelKey);
    const wrongKey = await errorOf(() => new KeyRing(foreign as never));
    expect(wrongKey.message).toBe('expected a ChannelKey of this copy of the package, got ChannelKey');
    const wrongRing = await errorOf(
      () => new ChannelCipher({ channel: CHANNEL, ring: new rings.KeyRing(foreign) as never }),
    );
    expect(wrongRing.message).toBe('expected a KeyRing of this copy of the package, got KeyRing');
  });
});

describe('what else a program may get wrong is refused:', () => {
  const ring = (): KeyRing => new KeyRing(KEY);
  const cases: readonly (readonly [string, string | undefined, Loose])[] = [
    ['a kind that there is not', 'bad_kind', () => member().seal('text' as never, bytes('x'))],
    ['a kind by its number', 'bad_kind', () => member().seal(0 as never, bytes('x'))],
    ['no kind', 'bad_kind', () => member().seal(undefined as never, bytes('x'))],
    ['a generation as text', 'bad_generation', () => new KeyRing(KEY, { generation: '1' as never })],
    ['a negative one', 'bad_generation', () => ring().prepare(KEY, { generation: '-1' as never })],
    ['null for a generation', 'bad_generation', () => ring().rotate(KEY, { generation: null as never })],
    ['a grace as text', 'bad_grace', () => ring().rotate(KEY, { graceMs: '0' as never })],
    ['null for a grace', 'bad_grace', () => ring().rotate(KEY, { graceMs: null as never })],
    ['a grace in the place of options', undefined, () => ring().rotate(KEY, 0 as never)],
    ['null for options', undefined, () => ring().rotate(KEY, null as never)],
    ['a generation in the place of options', undefined, () => new KeyRing(KEY, 3 as never)],
    ['a clock that has no time', undefined, () => new KeyRing(KEY, { clock: Date as never })],
    ['a sender as text', 'bad_sender', () => member().begin('7' as never)],
    ['no sender', 'bad_sender', () => member().begin(undefined as never)],
    ['a channel name in an array', 'bad_channel', () => member({ channel: ['room'] as never })],
    ['a channel name that is an object', 'bad_channel', () => member({ channel: new String('room') as never })],
    ['a name to blind that is none', 'bad_channel', () => blindName(new Uint8Array(32), ['room'] as never)],
    ['padding as a number', 'bad_padding', () => member({ padding: 1024 as never })],
    ['padding as sizes of text', 'bad_padding', () => member({ padding: ['256', '1024'] as never })],
    ['padding like an array', 'bad_padding', () => member({ padding: { length: 1, 0: 256 } as never })],
    ['null for padding', 'bad_padding', () => member({ padding: null as never })],
    ['a limit as text', 'bad_limit', () => member({ maxFramesPerKid: '5' as never })],
    [
      'a passphrase as bytes',
      'bad_passphrase',
      () => ChannelKey.fromPassphrase(bytes(SECRET) as never, { salt: bytes(SECRET) }),
    ],
    ['no salt at all', 'bad_passphrase', () => ChannelKey.fromPassphrase(SECRET, undefined as never)],
    ['no options of a cipher', 'bad_key', () => new (ChannelCipher as never as new () => unknown)()],
    ['a frame that is none', 'bad_data', () => member().open(undefined as never)],
    ['a frame that is its body', 'bad_data', () => member().open(bytes('x') as never)],
  ];
  it.each(cases)('%s', async (_, code, act) => {
    const error = await errorOf(act);
    expect(error.code).toBe(code);
    expect(error).toBeInstanceOf(code === undefined ? TypeError : EncryptionError);
    expect(error.message).toMatch(/^expected .*, got [A-Z]\w+$/);
  });

  it('and sizes of padding are those of when they were given', async () => {
    const sizes = [256];
    const alice = member({ padding: sizes });
    sizes[0] = 0;
    expect(await alice.seal('message', bytes('x'))).toHaveLength(8 + 256 + 16);
  });

  it('and a counter is not taken by what is refused', async () => {
    const alice = member();
    await errorOf(() => alice.seal('message', 'x' as never));
    await errorOf(() => alice.seal('text' as never, bytes('x')));
    const body = await alice.seal('message', bytes('x'));
    expect((body[0] as number) & 0xf).toBe(0); // CTR 0
  });
});

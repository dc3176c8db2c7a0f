import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChannelCipher } from '../../../../src/client/crypto/channel-cipher.ts';
import { ChannelKey } from '../../../../src/client/crypto/channel-key.ts';
import { encodeHeader } from '../../../../src/client/crypto/header.ts';
import { KeyRing } from '../../../../src/client/crypto/key-ring.ts';
import { brief, bytes, frame, KEY, member, SENDER, sealPlaintext } from './members.ts';
import { fromHex } from './vectors.ts';

const OTHER_KEY = ChannelKey.fromBytes(new Uint8Array(32).fill(2));

describe('a frame is refused, without data,', () => {
  let alice: ChannelCipher;
  let bob: ChannelCipher;
  let body: Uint8Array;
  beforeEach(async () => {
    [alice, bob] = [member(), member()];
    body = await alice.seal('message', bytes('hello'), bytes(''));
  });

  const refused = (reason: string) => ({ kind: 'refused', reason });
  const sealed = (changes = {}) => frame(body, { envelope: bytes(''), ...changes });

  it('when the key is another', async () => {
    const stranger = member({ ring: new KeyRing(OTHER_KEY) });
    expect(await stranger.open(sealed())).toEqual(refused('not_authentic'));
  });

  it('when it was moved to another channel', async () => {
    expect(await member({ channel: 'room.b' }).open(sealed())).toEqual(refused('not_authentic'));
  });

  it.each([0, 1, SENDER + 1])('when it was moved to sender %i', async (sender) => {
    expect(await bob.open(sealed({ sender }))).toEqual(refused('not_authentic'));
  });

  it('when its envelope is another, missing, or there when there was none', async () => {
    for (const envelope of [bytes('x'), bytes('\0'), null]) {
      expect(await bob.open(sealed({ envelope }))).toEqual(refused('not_authentic'));
    }
    const bare = await alice.seal('message', bytes('hello'));
    expect(await bob.open(frame(bare, { envelope: bytes('') }))).toEqual(refused('not_authentic'));
    expect(brief(await bob.open(frame(bare)))).toBe('hello');
  });

  it('when it was opened before, also at the same moment', async () => {
    const opened = await Promise.all([bob.open(sealed()), bob.open(sealed())]);
    expect(opened.map(brief)).toEqual(['hello', 'replayed']);
    expect(await bob.open(sealed())).toEqual(refused('replayed'));
  });

  it('without decrypting it again when it is a replay', async () => {
    await bob.open(sealed());
    const decrypt = vi.spyOn(crypto.subtle, 'decrypt');
    expect(await bob.open(sealed())).toEqual(refused('replayed'));
    expect(decrypt).not.toHaveBeenCalled();
    decrypt.mockRestore();
  });

  it('when it was opened before, though the sender has come back since', async () => {
    await bob.open(sealed());
    bob.begin(99);
    expect(await bob.open(sealed())).toEqual(refused('replayed'));
  });

  it('but not because a forged copy came first', async () => {
    const forged = body.slice();
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
    expect(await bob.open(sealed({ body: forged }))).toEqual(refused('not_authentic'));
    expect(brief(await bob.open(sealed()))).toBe('hello');
  });

  it('when it lies behind the replay window, while gaps and disorder inside it are fine', async () => {
    const bodies = await Promise.all(Array.from({ length: 1100 }, (_, i) => alice.seal('message', bytes(`${i}`))));
    const open = async (i: number) => brief(await bob.open(frame(bodies[i] ?? new Uint8Array())));
    expect(await open(500)).toBe('500');
    expect(await open(3)).toBe('3');
    expect(await open(1099)).toBe('1099');
    expect(await open(76)).toBe('76');
    expect(await open(75)).toBe('too_old');
    expect(await open(1098)).toBe('1098');
    expect(await open(500)).toBe('replayed');
  });

  it('when it is cut short anywhere', async () => {
    for (let length = 0; length < body.length; length++) {
      const { kind, ...rest } = await bob.open(sealed({ body: body.subarray(0, length) }));
      expect(kind).toBe('refused');
      expect(rest).toEqual({ reason: expect.stringMatching(/^(not_encrypted|malformed|not_authentic)$/) });
    }
    expect(brief(await bob.open(sealed()))).toBe('hello');
  });

  it('when a byte was added', async () => {
    expect(await bob.open(sealed({ body: Uint8Array.of(...body, 0) }))).toEqual(refused('not_authentic'));
  });

  it('when any bit of it was flipped', async () => {
    for (let bit = 0; bit < body.length * 8; bit++) {
      const changed = body.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect((await bob.open(sealed({ body: changed }))).kind).toBe('refused');
    }
    expect(brief(await bob.open(sealed()))).toBe('hello');
  });
});

describe('a body that was never sealed', () => {
  it.each([
    ['nothing', ''],
    ['text', Buffer.from('hello').toString('hex')],
    ['JSON', Buffer.from('{"hello": "a text that is long enough to be a frame"}').toString('hex')],
    ['zeros', '00'.repeat(64)],
    ['a msgpack map', '81a568656c6c6fc3'],
    ['SFrame with a short KID', `99012345${'67'.repeat(40)}`],
  ])('is not_encrypted when it is %s', async (_what, hex) => {
    expect(brief(await member().open(frame(fromHex(hex))))).toBe('not_encrypted');
  });

  it.each([
    ['a header alone', 'e0ff000000000001'],
    ['a tag and no content', `e0ff000000000001${'00'.repeat(17)}`],
    ['a KID with a leading zero', `e000000000000001${'00'.repeat(40)}`],
    ['an 8-byte KID of generation 0', `f000ff000000000001${'00'.repeat(40)}`],
    ['a counter of 2^32', `ecff0000000000010100000000${'00'.repeat(40)}`],
  ])('is malformed when it is %s', async (_what, hex) => {
    expect(brief(await member().open(frame(fromHex(hex))))).toBe('malformed');
  });

  it('is malformed when the sender could not be one', async () => {
    const body = await member().seal('message', bytes('x'));
    for (const sender of [-1, 2 ** 32, Number.NaN]) {
      expect(brief(await member().open(frame(body, { sender })))).toBe('malformed');
    }
  });

  it('is not_authentic when it is noise behind a good header', async () => {
    const noise = Uint8Array.of(...encodeHeader(0xff_0000_0000_0001n, 5n), ...new Uint8Array(64).fill(0xaa));
    expect(brief(await member().open(frame(noise)))).toBe('not_authentic');
  });
});

describe('a plaintext that no SDK makes is refused', () => {
  it.each([
    ['zeros', '00'.repeat(64), 'bad_padding'],
    ['a kind without a marker', '0001', 'bad_padding'],
    ['a marker without a kind', '8000', 'bad_padding'],
    ['another marker', '00aa40', 'bad_padding'],
    ['an unknown kind', '02aa80', 'malformed'],
    ['the highest kind', 'ffaa80', 'malformed'],
  ])('when it is %s', async (_what, hex, reason) => {
    const bob = member();
    const body = await sealPlaintext(fromHex(hex));
    expect(brief(await bob.open(frame(body)))).toBe(reason);
    expect(brief(await bob.open(frame(body)))).toBe('replayed');
  });

  it('but a megabyte of padding is padding', async () => {
    const plaintext = new Uint8Array(1_000_000);
    plaintext.set(fromHex('00aa80'));
    const opened = await member().open(frame(await sealPlaintext(plaintext)));
    expect(opened).toEqual({ kind: 'message', data: fromHex('aa') });
  });

  it('and a kind is what was sealed, whatever the data looks like', async () => {
    const [alice, bob] = [member(), member()];
    const data = Uint8Array.of(1, 0x80, 0);
    expect(await bob.open(frame(await alice.seal('message', data)))).toEqual({ kind: 'message', data });
    expect(await bob.open(frame(await alice.seal('presence', data)))).toEqual({ kind: 'presence', data });
  });
});

describe('during a rotation', () => {
  let nowMs: number;
  const clock = { nowMs: () => nowMs };
  let rings: { readonly alice: KeyRing; readonly bob: KeyRing };
  let alice: ChannelCipher;
  let bob: ChannelCipher;
  beforeEach(() => {
    nowMs = 0;
    rings = { alice: new KeyRing(KEY, { clock }), bob: new KeyRing(KEY, { clock }) };
    alice = member({ ring: rings.alice });
    bob = member({ ring: rings.bob });
  });
  const send = async (text: string) => brief(await bob.open(frame(await alice.seal('message', bytes(text)))));

  it('no frame is refused when all prepare before the first rotates', async () => {
    const heard = [await send('before')];
    rings.bob.prepare(OTHER_KEY);
    heard.push(await send('prepared'));
    rings.alice.rotate(OTHER_KEY, { graceMs: 10 });
    heard.push(await send('one rotated'));
    rings.bob.rotate(OTHER_KEY, { graceMs: 10 });
    heard.push(await send('both rotated'));
    nowMs = 10;
    heard.push(await send('after'));
    expect(heard).toEqual(['before', 'prepared', 'one rotated', 'both rotated', 'after']);
  });

  it('a frame of the generation before opens within the grace, and never after', async () => {
    const bodies = await Promise.all(['a', 'b', 'c'].map((text) => alice.seal('message', bytes(text))));
    const open = async (i: number) => brief(await bob.open(frame(bodies[i] ?? new Uint8Array())));
    expect(await open(0)).toBe('a');
    rings.bob.rotate(OTHER_KEY, { graceMs: 10 });
    nowMs = 9;
    expect(await open(1)).toBe('b');
    nowMs = 10;
    expect(await open(2)).toBe('expired_generation');
  });

  it('a frame of a generation not yet heard of is unknown', async () => {
    rings.alice.rotate(OTHER_KEY);
    expect(await send('too early')).toBe('unknown_generation');
    expect(brief(await bob.open(frame(await sealPlaintext(fromHex('00aa80'), { kid: (9n << 56n) | 1n }))))).toBe(
      'unknown_generation',
    );
  });

  it('a key remembered from a generation opens nothing once the number stands for another key', async () => {
    const bodies = await Promise.all(['a', 'b'].map((text) => alice.seal('message', bytes(text))));
    expect(brief(await bob.open(frame(bodies[0] ?? new Uint8Array())))).toBe('a');
    rings.bob.rotate(OTHER_KEY, { graceMs: 0 });
    rings.bob.rotate(ChannelKey.random(), { generation: 0 });
    expect(brief(await bob.open(frame(bodies[1] ?? new Uint8Array())))).toBe('not_authentic');
  });

  it('the sealing side follows a number that has come round to another key', async () => {
    await send('x');
    rings.alice.rotate(KEY);
    rings.alice.rotate(OTHER_KEY, { generation: 0 });
    expect(await send('under the other key')).toBe('not_authentic');
  });

  it.each([KEY, OTHER_KEY])('the sealing side counts from 0 under the new generation, same key or not', async (key) => {
    await send('x');
    rings.alice.rotate(key);
    const body = await alice.seal('message', bytes('x'));
    expect(body[0]).toBe(0xf0);
    expect(body[1]).toBe(1);
  });
});

describe('what is remembered is bounded', () => {
  const kid = (i: number) => 0xff_0000_0000_0000n + BigInt(i);
  let forged: readonly Uint8Array[];
  beforeAll(() => {
    const noise = new Uint8Array(40);
    forged = Array.from({ length: 1500 }, (_, i) => Uint8Array.of(...encodeHeader(kid(i), 0n), ...noise));
  });

  it('and forged frames push no replay window out', async () => {
    const bob = member();
    const body = await member().seal('message', bytes('once'));
    expect(brief(await bob.open(frame(body)))).toBe('once');
    const opened = await Promise.all(forged.map((one) => bob.open(frame(one))));
    expect(new Set(opened.map(brief))).toEqual(new Set(['not_authentic']));
    expect(brief(await bob.open(frame(body)))).toBe('replayed');
  });

  it('so that of more than 1,024 KIDs the one silent for longest is forgotten', async () => {
    const bob = member();
    const sealed = (i: number) => sealPlaintext(fromHex('006180'), { kid: kid(i) });
    for (let i = 0; i <= 1024; i++) await bob.open(frame(await sealed(i)));
    expect(brief(await bob.open(frame(await sealed(1))))).toBe('replayed');
    expect(brief(await bob.open(frame(await sealed(0))))).toBe('a');
  });
});

import { afterEach, describe, expect, it, vi } from 'vitest';
import { ChannelCipher } from '../../../../src/client/crypto/channel-cipher.ts';
import { ChannelKey } from '../../../../src/client/crypto/channel-key.ts';
import { decodeHeader } from '../../../../src/client/crypto/header.ts';
import { KeyRing } from '../../../../src/client/crypto/key-ring.ts';
import { brief, bytes, CHANNEL, frame, KEY, member } from './members.ts';

const headerOf = (body: Uint8Array) => {
  const header = decodeHeader(body);
  if (header === undefined) throw new Error('expected a header');
  return header;
};

/** Holds back the first call of a WebCrypto operation until `open`; `othersDone` waits until all but that one of `count` are done. */
function holdFirst(operation: 'encrypt' | 'decrypt') {
  const real = crypto.subtle[operation].bind(crypto.subtle);
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  let [startedCount, doneCount] = [0, 0];
  vi.spyOn(crypto.subtle, operation).mockImplementation(async (...args) => {
    if (startedCount++ === 0) await gate;
    const result = await real(...args);
    doneCount++;
    return result;
  });
  const othersDone = async (count: number) => {
    await vi.waitFor(() => expect(doneCount).toBe(count - 1));
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { open, othersDone };
}

afterEach(() => vi.restoreAllMocks());

describe('a member', () => {
  it.each(['message', 'presence'] as const)('reads the %s that another member sealed', async (kind) => {
    const body = await member().seal(kind, bytes('hello'));
    expect(await member().open(frame(body))).toEqual({ kind, data: bytes('hello') });
  });

  it('reads what was sealed with an envelope, an empty one, empty data, and over HTTP', async () => {
    const [alice, bob] = [member(), member()];
    for (const envelope of [bytes('to: ops'), bytes(''), null]) {
      const body = await alice.seal('message', bytes(''), envelope);
      expect(await bob.open(frame(body, { envelope }))).toEqual({ kind: 'message', data: bytes('') });
    }
    alice.begin(0);
    const body = await alice.seal('message', bytes('over HTTP'));
    expect(brief(await bob.open(frame(body, { sender: 0 })))).toBe('over HTTP');
  });

  it('reads its own frames back', async () => {
    const alice = member();
    expect(brief(await alice.open(frame(await alice.seal('message', bytes('echo')))))).toBe('echo');
  });

  it('need not know how another pads', async () => {
    const bob = member();
    for (const padding of ['padme', 'none', [1024]] as const) {
      const body = await member({ padding }).seal('message', bytes('hello'));
      expect(brief(await bob.open(frame(body)))).toBe('hello');
    }
  });

  it('tells nothing by the size of a body that the padding hides', async () => {
    const alice = member({ padding: [256] });
    const sizes = [0, 1, 100, 253, 254].map(async (size) => (await alice.seal('message', new Uint8Array(size))).length);
    expect(await Promise.all(sizes)).toEqual(Array(5).fill(8 + 256 + 16));
  });

  it('counts from 0 under a KID of its generation and random bits', async () => {
    const alice = member({ ring: new KeyRing(KEY, { generation: 0xa7 }) });
    const headers = [await alice.seal('message', bytes('')), await alice.seal('presence', bytes(''))].map(headerOf);
    expect(headers.map(({ ctr }) => ctr)).toEqual([0n, 1n]);
    expect(headers[0]?.kid).toBe(headers[1]?.kid);
    expect((headers[0]?.kid ?? 0n) >> 56n).toBe(0xa7n);
  });

  it('begins every body with 7 or 8 bytes of KID, even when the dice say zero', async () => {
    const real = crypto.getRandomValues.bind(crypto);
    let thrown = 0;
    vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
      const random = real(array);
      if (thrown++ === 0 && random instanceof Uint8Array) random[0] = 0;
      return random;
    });
    const body = await member().seal('message', bytes(''));
    expect(thrown).toBe(2);
    expect(body[0]).toBe(0xe0);
  });

  it('takes another KID for each connection', async () => {
    const alice = member();
    const bodies = [await alice.seal('message', bytes(''))];
    alice.begin(7);
    bodies.push(await alice.seal('message', bytes('')));
    alice.begin(7);
    bodies.push(await alice.seal('message', bytes('')));
    const headers = bodies.map(headerOf);
    expect(new Set(headers.map(({ kid }) => kid)).size).toBe(3);
    expect(headers.map(({ ctr }) => ctr)).toEqual([0n, 0n, 0n]);
  });

  it('takes another KID when a key has sealed its fill, and loses nothing', async () => {
    const [alice, bob] = [member({ maxFramesPerKid: 3 }), member()];
    const bodies = await Promise.all(Array.from({ length: 7 }, (_, i) => alice.seal('message', bytes(`${i}`))));
    const headers = bodies.map(headerOf);
    expect(headers.map(({ ctr }) => ctr)).toEqual([0n, 1n, 2n, 0n, 1n, 2n, 0n]);
    expect(new Set(headers.map(({ kid }) => kid)).size).toBe(3);
    const opened = await Promise.all(bodies.map((body) => bob.open(frame(body))));
    expect(opened.map(brief)).toEqual(['0', '1', '2', '3', '4', '5', '6']);
  });

  it('keeps the order of calls that run at once, in sealing and opening, though the first takes longest', async () => {
    const [alice, bob] = [member(), member()];
    const order: string[] = [];
    const note = async (name: string, work: Promise<unknown>) => {
      await work;
      order.push(name);
    };
    const warmUp = await alice.seal('message', bytes('derives the key'));
    await bob.open(frame(warmUp));

    const sealGate = holdFirst('encrypt');
    const sealing = [0, 1, 2].map((i) => alice.seal('message', bytes(`${i}`)));
    const sealed = sealing.map((work, i) => note(`sealed ${i}`, work));
    await sealGate.othersDone(3);
    expect(order).toEqual([]);
    sealGate.open();
    await Promise.all(sealed);
    const bodies = await Promise.all(sealing);
    expect(bodies.map((body) => headerOf(body).ctr)).toEqual([1n, 2n, 3n]);

    const openGate = holdFirst('decrypt');
    const opened = bodies.map((body, i) => note(`opened ${i}`, bob.open(frame(body))));
    await openGate.othersDone(3);
    openGate.open();
    await Promise.all(opened);
    expect(order).toEqual([0, 1, 2].map((i) => `sealed ${i}`).concat([0, 1, 2].map((i) => `opened ${i}`)));
  });

  it('copies data and envelope at the call', async () => {
    const [data, envelope] = [bytes('hello'), bytes('envelope')];
    const sealing = member().seal('message', data, envelope);
    data.fill(0);
    envelope.fill(0);
    expect(brief(await member().open(frame(await sealing, { envelope: bytes('envelope') })))).toBe('hello');
  });

  it('reads on after a key could not be derived for once', async () => {
    const [alice, bob] = [member(), member()];
    const body = await alice.seal('message', bytes('hello'));
    vi.spyOn(crypto.subtle, 'deriveKey').mockRejectedValueOnce(new Error('out of memory'));
    await expect(bob.open(frame(body))).rejects.toThrow('out of memory');
    expect(brief(await bob.open(frame(body)))).toBe('hello');
  });

  it('derives a key once for each KID, and imports nothing for a frame', async () => {
    const [alice, bob] = [member(), member()];
    const derive = vi.spyOn(crypto.subtle, 'deriveKey');
    const imports = vi.spyOn(crypto.subtle, 'importKey');
    for (let i = 0; i < 5; i++) await bob.open(frame(await alice.seal('message', bytes('x'))));
    expect(derive).toHaveBeenCalledTimes(2);
    const imported = imports.mock.calls.length;
    await bob.open(frame(await alice.seal('message', bytes('x'))));
    expect(imports).toHaveBeenCalledTimes(imported);
  });
});

describe('misuse is refused before anything is encrypted', () => {
  const options = { channel: CHANNEL, ring: new KeyRing(KEY) };

  it('when no connection has begun', async () => {
    await expect(new ChannelCipher(options).seal('message', bytes('x'))).rejects.toMatchObject({ code: 'not_begun' });
  });

  it.each(['', 'room.*', 'room.>', '$SYS.a', 'a b', 'a\0b'])('for the channel %j', (channel) => {
    expect(() => member({ channel })).toThrow(expect.objectContaining({ code: 'bad_channel' }));
  });

  it.each([-1, 1.5, 2 ** 32, Number.NaN])('for the sender %d', async (sender) => {
    const cipher = new ChannelCipher(options);
    expect(() => cipher.begin(sender)).toThrow(expect.objectContaining({ code: 'bad_sender' }));
    await expect(cipher.seal('message', bytes('x'))).rejects.toMatchObject({ code: 'not_begun' });
  });

  it.each([0, -1, 1.5, 2 ** 32 + 1])('for %d frames a key', (maxFramesPerKid) => {
    expect(() => member({ maxFramesPerKid })).toThrow(expect.objectContaining({ code: 'bad_limit' }));
  });

  it('for padding that cannot be', () => {
    expect(() => member({ padding: [] })).toThrow(expect.objectContaining({ code: 'bad_padding' }));
  });

  it('where there is no WebCrypto', async () => {
    const cipher = member();
    vi.spyOn(globalThis, 'crypto', 'get').mockReturnValue({
      getRandomValues: crypto.getRandomValues.bind(crypto),
    } as typeof globalThis.crypto);
    await expect(cipher.seal('message', bytes('x'))).rejects.toMatchObject({ code: 'no_web_crypto' });
    vi.restoreAllMocks();
    expect(brief(await member().open(frame(await cipher.seal('message', bytes('later')))))).toBe('later');
  });

  it('with errors that hold no secret', async () => {
    const secret = bytes('a secret that nobody sees');
    const caught = [() => ChannelKey.fromBytes(secret), () => member({ channel: 'a secret that nobody sees' })].map(
      (misuse) => {
        try {
          misuse();
        } catch (error) {
          return String(error);
        }
        return 'no error';
      },
    );
    for (const text of caught) expect(text).toMatch(/^EncryptionError: (?!.*secret)/);
  });
});

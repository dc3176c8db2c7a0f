import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { blindName } from '../../../src/client/crypto/blind.ts';
import { ChannelCipher } from '../../../src/client/crypto/channel-cipher.ts';
import { ChannelKey } from '../../../src/client/crypto/channel-key.ts';
import { KeyRing } from '../../../src/client/crypto/key-ring.ts';
import { Program } from '../../support/cli.ts';
import { describeWith } from '../../support/programs.ts';

const PYTHON = '/usr/bin/python3';
const CHANNEL = 'room.a';
const SENDER = 0x0102_0304;
const KINDS = ['message', 'presence'] as const;
/** Lengths on both sides of every step of the encodings: none, within 8, a byte, two bytes. */
const LENGTHS = [0, 1, 6, 7, 30, 253, 254, 255, 256, 1000, 70_000];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const fromHex = (text: unknown): Uint8Array => Uint8Array.from(Buffer.from(String(text), 'hex'));
const filled = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7) % 256);

describeWith([[PYTHON, '-c', 'import cryptography']], 'a program written from docs/ENCRYPTION.md alone', () => {
  let python: Program;
  let answerCount = 0;
  beforeAll(() => {
    python = new Program(PYTHON, [fileURLToPath(new URL('encryption.py', import.meta.url))]);
  });
  afterAll(async () => {
    python.child.stdin?.end();
    expect(await python.finished).toMatchObject({ code: 0, stderr: '' });
  });

  const ask = async (request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>> => {
    python.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const [, line = ''] = await python.output(new RegExp(`^(?:.*\\n){${answerCount++}}(.*)\\n`));
    return JSON.parse(line);
  };

  const key = ChannelKey.random();
  const place = { secret: hex(key.toBytes()), channel: CHANNEL, sender: SENDER };
  const cipher = (generation: number, settings = {}): ChannelCipher => {
    const made = new ChannelCipher({ channel: CHANNEL, ring: new KeyRing(key, { generation }), ...settings });
    made.begin(SENDER);
    return made;
  };
  const envelopes = [null, new Uint8Array(), filled(20)];

  it.each([0, 1, 255])('opens what the SDK seals in generation %i', async (generation) => {
    for (const padding of ['padme', 'none', [64, 1024]] as const) {
      const alice = cipher(generation, { padding });
      for (const [i, length] of LENGTHS.entries()) {
        const envelope = envelopes[i % 3] ?? null;
        const body = await alice.seal(KINDS[i % 2] ?? 'message', filled(length), envelope);
        const frame = { ...place, generation, envelope: envelope && hex(envelope), body: hex(body) };
        expect(await ask({ op: 'open', ...frame })).toEqual({ kind: i % 2, data: hex(filled(length)) });
      }
    }
  });

  it.each([0, 1, 255])('seals what the SDK opens in generation %i', async (generation) => {
    const bob = cipher(generation);
    for (const [i, length] of LENGTHS.entries()) {
      const envelope = envelopes[i % 3] ?? null;
      const data = filled(length);
      const request = { ...place, generation, envelope: envelope && hex(envelope), kind: i % 2, data: hex(data) };
      const { bodies } = await ask({ op: 'seal', ...request, count: length < 300 ? 10 : 1 });
      if (!Array.isArray(bodies)) throw new Error('expected bodies');
      for (const body of bodies) {
        expect(await bob.open({ sender: SENDER, envelope, body: fromHex(body) })).toEqual({ kind: KINDS[i % 2], data });
      }
    }
  });

  it('refuses what the SDK refuses, for the same reasons', async () => {
    const [alice, bob] = [cipher(3), cipher(3)];
    const body = await alice.seal('message', filled(20), filled(2));
    const [flipped, short] = [body.slice(), body.subarray(0, 12)];
    flipped[20] = (flipped[20] ?? 0) ^ 1;
    const frames: readonly (readonly [Uint8Array, number, Uint8Array | null, string])[] = [
      [body, SENDER + 1, filled(2), 'not_authentic'],
      [body, SENDER, filled(3), 'not_authentic'],
      [body, SENDER, null, 'not_authentic'],
      [flipped, SENDER, filled(2), 'not_authentic'],
      [short, SENDER, filled(2), 'malformed'],
      [filled(100), SENDER, filled(2), 'not_encrypted'],
      [await cipher(4).seal('message', filled(1)), SENDER, null, 'unknown_generation'],
      [body, SENDER, filled(2), ''],
      [body, SENDER, filled(2), 'replayed'],
    ];
    for (const [bytes, sender, envelope, reason] of frames) {
      const ours = await bob.open({ sender, envelope, body: bytes });
      const request = { ...place, generation: 3, sender, envelope: envelope && hex(envelope), body: hex(bytes) };
      const theirs = await ask({ op: 'open', ...request });
      if (reason === '') {
        expect([ours, theirs]).toEqual([
          { kind: 'message', data: filled(20) },
          { kind: 0, data: hex(filled(20)) },
        ]);
      } else {
        expect([ours, theirs]).toEqual([{ kind: 'refused', reason }, { refused: reason }]);
      }
    }
  });

  it('makes the same secret of a passphrase', async () => {
    const [passphrase, salt] = ['cafe\u0301 au lait \u{1f95b}', filled(16)];
    const made = await ChannelKey.fromPassphrase(passphrase, { salt });
    expect(await ask({ op: 'passphrase', passphrase, salt: hex(salt) })).toEqual({ secret: hex(made.toBytes()) });
  });

  it('makes the same blind names', async () => {
    for (const name of ['team', 'team.a.news', 'team.*.news', 'dm.>', '*.>', '!.~.{sub}']) {
      const blind = await blindName(filled(32), name);
      expect(await ask({ op: 'blind', key: hex(filled(32)), name })).toEqual({ name: blind });
    }
  });
});

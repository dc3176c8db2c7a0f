import { hkdfSync, pbkdf2Sync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ChannelKey } from '../../../../src/client/crypto/channel-key.ts';
import { toHex } from './vectors.ts';

const SALT = Uint8Array.from({ length: 16 }, (_, i) => i);

describe('a channel key', () => {
  it('is 32 bytes, random each time', () => {
    const [a, b] = [ChannelKey.random().toBytes(), ChannelKey.random().toBytes()];
    expect(a).toHaveLength(32);
    expect(toHex(a)).not.toBe(toHex(b));
  });

  it('is the bytes it was made of, whatever is done to them later', () => {
    const bytes = new Uint8Array(32).fill(7);
    const key = ChannelKey.fromBytes(bytes);
    bytes.fill(0);
    key.toBytes().fill(0);
    expect(key.toBytes()).toEqual(new Uint8Array(32).fill(7));
  });

  it.each([0, 16, 31, 33, 64])('is refused when it has %i bytes', (length) => {
    expect(() => ChannelKey.fromBytes(new Uint8Array(length))).toThrow(expect.objectContaining({ code: 'bad_key' }));
  });

  it('comes from a passphrase in NFC by PBKDF2-HMAC-SHA-512 with 220,000 rounds', async () => {
    const decomposed = 'cafe\u0301 crème';
    const key = await ChannelKey.fromPassphrase(decomposed, { salt: SALT });
    const expected = pbkdf2Sync('caf\u00e9 crème', SALT, 220_000, 32, 'sha512');
    expect(toHex(key.toBytes())).toBe(expected.toString('hex'));
  });

  it.each([
    ['', SALT],
    ['7 chars', SALT],
    ['long enough', SALT.subarray(1)],
    ['long enough', new Uint8Array()],
  ])('does not come from the passphrase %j with the salt %j', async (passphrase, salt) => {
    const refused = ChannelKey.fromPassphrase(passphrase, { salt });
    await expect(refused).rejects.toMatchObject({ code: 'bad_passphrase' });
    if (passphrase !== '') await expect(refused).rejects.not.toThrow(passphrase);
  });

  it('derives by HKDF-SHA-512 with an empty salt', async () => {
    const key = ChannelKey.fromBytes(new Uint8Array(32).fill(9));
    const expected = hkdfSync('sha512', key.toBytes(), new Uint8Array(), 'info', 64);
    expect(await key.derive(Uint8Array.from(Buffer.from('info')), 64)).toEqual(new Uint8Array(expected));
  });

  it('shows nothing of itself in JSON or in a log', () => {
    const key = ChannelKey.fromBytes(new Uint8Array(32).fill(0xab));
    expect(JSON.stringify(key)).toBe('{}');
    expect(inspect(key, { showHidden: true, depth: 9 })).not.toMatch(/171|ab,|abab/);
  });
});

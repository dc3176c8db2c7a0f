import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { blindName } from '../../../../src/client/crypto/blind.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const segment = (text: string): string => createHmac('sha256', KEY).update(text).digest('base64url').slice(0, 22);

describe('a blind name', () => {
  it('has the HMAC of each segment, cut to 22 characters', async () => {
    expect(await blindName(KEY, 'team.a.news')).toBe(['team', 'a', 'news'].map(segment).join('.'));
  });

  it('keeps wildcards', async () => {
    expect(await blindName(KEY, 'team.*.>')).toBe(`${segment('team')}.*.>`);
    expect(await blindName(KEY, '>')).toBe('>');
  });

  it('is another under another key', async () => {
    expect(await blindName(new Uint8Array(32), 'team')).not.toBe(segment('team'));
  });

  it.each(['', '$SYS', '$a.b', 'a..b', 'a.>.b', 'a b', 'a.b*', 'é'])('is refused for %j', async (name) => {
    await expect(blindName(KEY, name)).rejects.toMatchObject({ code: 'bad_channel' });
  });

  it('has 8 segments at most, as a name has 200 bytes at most', async () => {
    expect(await blindName(KEY, 'a.b.c.d.e.f.g.h')).toHaveLength(183);
    await expect(blindName(KEY, 'a.b.c.d.e.f.g.h.i')).rejects.toMatchObject({ code: 'bad_channel' });
    expect(await blindName(KEY, 'a.b.c.d.e.f.g.h.>')).toHaveLength(185);
  });

  it.each([0, 16, 31, 33])('is refused with a key of %i bytes', async (length) => {
    await expect(blindName(new Uint8Array(length), 'a')).rejects.toMatchObject({ code: 'bad_key' });
  });
});

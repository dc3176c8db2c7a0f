import { describe, expect, it } from 'vitest';
import { freshInvitation, readInvitation, writeInvitation } from '../../../src/demo/invitation.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i);
const BLIND = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
const LINK = `#key=${Buffer.from(KEY).toString('base64url')}&generation=7&blind=${Buffer.from(BLIND).toString('base64url')}`;

describe('the fragment of an invitation', () => {
  it('holds the key, its generation and the blind key in base64url', () => {
    expect(writeInvitation({ key: KEY, generation: 7, blindKey: BLIND })).toBe(LINK);
    expect(readInvitation(LINK)).toEqual({ key: KEY, generation: 7, blindKey: BLIND });
  });

  it('is read back from what was written, for new rooms and every generation', () => {
    for (let generation = 0; generation < 256; generation++) {
      const invitation = { ...freshInvitation(), generation };
      expect(readInvitation(writeInvitation(invitation))).toEqual(invitation);
    }
  });

  it('is none when there is nothing', () => {
    expect(readInvitation('')).toBe('none');
    expect(readInvitation('#')).toBe('none');
  });

  it.each([
    '#hello',
    LINK.slice(0, -1),
    `${LINK}A`,
    LINK.replace('generation=7', 'generation=256'),
    LINK.replace('generation=7', 'generation=-1'),
    LINK.replace('generation=7', 'generation=1.5'),
    LINK.replace('generation=7', 'generation='),
    LINK.replace('generation=7', 'generation=07'),
    LINK.replace('&generation=7', ''),
    LINK.replace('key=', 'key=*'),
    LINK.replace('#key', '#kid'),
    `${LINK}&more=1`,
    `${LINK.slice(0, -1)}=`,
    `#key=${Buffer.from(KEY).toString('base64')}&generation=7&blind=${Buffer.from(BLIND).toString('base64url')}`,
  ])('is malformed: %s', (fragment) => {
    expect(readInvitation(fragment)).toBe('malformed');
  });
});

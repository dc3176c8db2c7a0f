import { describe, expect, it } from 'vitest';
import { decodeHeader } from '../../../../src/client/crypto/header.ts';
import { deriveFrameKey, openFrame, sealFrame } from '../../../../src/client/crypto/sframe.ts';
import { fromHex, readSframeVectors, toHex } from './vectors.ts';

describe.each(readSframeVectors().sframe.filter(({ cipher_suite }) => cipher_suite === 5n))(
  'cipher suite 5, as the RFC has it',
  ({ kid, ctr, base_key, sframe_key, sframe_salt, metadata, pt, ct }) => {
    it('derives the salt and the key', async () => {
      const { key, salt } = await deriveFrameKey(fromHex(base_key), kid);
      expect(toHex(salt)).toBe(sframe_salt);
      const iv = new Uint8Array(12);
      const given = await crypto.subtle.importKey('raw', fromHex(sframe_key), 'AES-GCM', false, ['encrypt']);
      const [ours, theirs] = await Promise.all(
        [key, given].map((one) => crypto.subtle.encrypt({ name: 'AES-GCM', iv }, one, iv)),
      );
      expect(ours).toEqual(theirs);
    });

    it('holds a key that cannot be read back', async () => {
      const { key } = await deriveFrameKey(fromHex(base_key), kid);
      await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow();
    });

    it('seals the plaintext to the ciphertext', async () => {
      const frameKey = await deriveFrameKey(fromHex(base_key), kid);
      expect(toHex(await sealFrame(frameKey, { kid, ctr }, fromHex(metadata), fromHex(pt)))).toBe(ct);
    });

    it('opens the ciphertext to the plaintext, and with other metadata not at all', async () => {
      const frameKey = await deriveFrameKey(fromHex(base_key), kid);
      const frame = fromHex(ct);
      const header = decodeHeader(frame);
      if (header === undefined) throw new Error('expected a header');
      expect(await openFrame(frameKey, header, fromHex(metadata), frame)).toEqual(fromHex(pt));
      expect(await openFrame(frameKey, header, fromHex('00'), frame)).toBeUndefined();
    });
  },
);

describe('the vectors', () => {
  it('have one frame of cipher suite 5', () => {
    expect(readSframeVectors().sframe.filter(({ cipher_suite }) => cipher_suite === 5n)).toHaveLength(1);
  });
});

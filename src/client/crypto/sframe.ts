import { concat, utf8 } from '../bytes.ts';
import { encodeHeader, type Header } from './header.ts';
import { type HeldKey, hkdf, hkdfWith, importMaterial, subtle, unshared } from './web-crypto.ts';

/** AES_256_GCM_SHA512_128: RFC 9605, section 4.5. */
const CIPHER_SUITE = 5;
const NONCE_BYTES = 12;
/** What the cipher adds to a plaintext. */
export const TAG_BYTES = 16;

/** Everything needed to seal and open the frames of one KID. */
export interface FrameKey {
  readonly key: HeldKey;
  readonly salt: Uint8Array;
}

/** The key and salt of a KID: RFC 9605, section 4.4.2. `baseKey` may have any length. */
export async function deriveFrameKey(baseKey: Uint8Array, kid: bigint): Promise<FrameKey> {
  const material = await importMaterial('HKDF', baseKey);
  const suffix = new DataView(new ArrayBuffer(10));
  suffix.setBigUint64(0, kid);
  suffix.setUint16(8, CIPHER_SUITE);
  const label = (text: string): Uint8Array => concat(utf8(`SFrame 1.0 Secret ${text} `), new Uint8Array(suffix.buffer));
  const [key, salt] = await Promise.all([
    subtle().deriveKey(hkdfWith(label('key')), material, { name: 'AES-GCM', length: 256 }, false, [
      'encrypt',
      'decrypt',
    ]),
    hkdf(material, label('salt'), NONCE_BYTES),
  ]);
  return { key, salt };
}

/** Seals one frame: header, ciphertext, tag (RFC 9605, section 4.4.3). A counter must never be used twice with one key. */
export async function sealFrame(
  { key, salt }: FrameKey,
  { kid, ctr }: { readonly kid: bigint; readonly ctr: bigint },
  metadata: Uint8Array,
  plaintext: Uint8Array,
): Promise<Uint8Array> {
  const header = encodeHeader(kid, ctr);
  const sealed = await subtle().encrypt(gcm(salt, ctr, concat(header, metadata)), key, unshared(plaintext));
  return concat(header, new Uint8Array(sealed));
}

/** Opens a frame whose header has been read (RFC 9605, section 4.4.4). Undefined when it is not authentic. */
export async function openFrame(
  { key, salt }: FrameKey,
  { ctr, length }: Header,
  metadata: Uint8Array,
  frame: Uint8Array,
): Promise<Uint8Array | undefined> {
  const parameters = gcm(salt, ctr, concat(frame.subarray(0, length), metadata));
  try {
    return new Uint8Array(await subtle().decrypt(parameters, key, unshared(frame.subarray(length))));
  } catch {
    return undefined;
  }
}

function gcm(salt: Uint8Array, ctr: bigint, additionalData: Uint8Array) {
  const iv = salt.slice();
  const low = new DataView(iv.buffer, NONCE_BYTES - 8);
  low.setBigUint64(0, low.getBigUint64(0) ^ ctr);
  return { name: 'AES-GCM', iv, additionalData, tagLength: TAG_BYTES * 8 };
}

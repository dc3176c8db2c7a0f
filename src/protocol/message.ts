/**
 * MESSAGE by fixed offsets: docs/PROTOCOL.md, section 7. Nothing here decodes, copies or allocates.
 * The offsets are counted from the frame's first byte.
 */
const CHANNEL_ID = 3;
const SEQ = 8;
const SENDER = 17;
const ENVELOPE = 21;

/** Whether the bytes at `start` claim to be a MESSAGE: an array of 6 of type 4. */
export function isMessage(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === 0x96 && bytes[start + 1] === 0x04;
}

/** The offset just behind the MESSAGE at `start`, or -1 when any structural byte is not the one legal encoding. */
export function messageEnd(bytes: Uint8Array, start: number): number {
  if (bytes.length < start + ENVELOPE + 1) return -1;
  if (bytes[start + 2] !== 0xce || bytes[start + 7] !== 0xcf || bytes[start + 16] !== 0xce) return -1;
  const body = bytes[start + ENVELOPE] === 0xc0 ? start + ENVELOPE + 1 : binEnd(bytes, start + ENVELOPE);
  return body < 0 ? -1 : binEnd(bytes, body);
}

/** The channelId of the MESSAGE at `start`. Ids over 31 bits come out negative, which no channel has. */
export function messageChannelId(bytes: Uint8Array, start: number): number {
  return uint32At(bytes, start + CHANNEL_ID);
}

/** Writes seq and sender into the MESSAGE at `start`, in place. */
export function stampMessage(bytes: Uint8Array, start: number, seq: number, sender: number): void {
  writeUint32(bytes, start + SEQ, (seq / 0x1_0000_0000) | 0);
  writeUint32(bytes, start + SEQ + 4, seq | 0);
  writeUint32(bytes, start + SENDER, sender);
}

/** Bytes of a MESSAGE with this envelope, of which only the length counts (null: none), and a body of `bodyBytes`. */
export function messageBytes(envelope: { readonly length: number } | null, bodyBytes: number): number {
  const envelopeBytes = envelope === null ? 1 : binHeaderBytes(envelope.length) + envelope.length;
  return ENVELOPE + envelopeBytes + binHeaderBytes(bodyBytes) + bodyBytes;
}

/** Encodes a MESSAGE as a client sends it: seq and sender are 0. */
export function encodeMessage(channelId: number, envelope: Uint8Array | null, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(messageBytes(envelope, body.length));
  bytes[0] = 0x96;
  bytes[1] = 0x04;
  bytes[2] = 0xce;
  writeUint32(bytes, CHANNEL_ID, channelId);
  bytes[7] = 0xcf;
  bytes[16] = 0xce;
  let pos = ENVELOPE;
  if (envelope === null) bytes[pos++] = 0xc0;
  else pos = writeBin(bytes, pos, envelope);
  writeBin(bytes, pos, body);
  return bytes;
}

/** End of the bin at `pos`, -1 unless it is whole and its length has the shortest form. */
function binEnd(bytes: Uint8Array, pos: number): number {
  const tag = bytes[pos];
  let end = -1;
  if (tag === 0xc4 && pos + 2 <= bytes.length) {
    end = pos + 2 + (bytes[pos + 1] as number); // in bounds, here and below
  } else if (tag === 0xc5 && pos + 3 <= bytes.length) {
    const length = ((bytes[pos + 1] as number) << 8) | (bytes[pos + 2] as number);
    end = length > 0xff ? pos + 3 + length : -1;
  } else if (tag === 0xc6 && pos + 5 <= bytes.length) {
    const length = uint32At(bytes, pos + 1);
    end = length > 0xffff ? pos + 5 + length : -1;
  }
  return end <= bytes.length ? end : -1;
}

function uint32At(bytes: Uint8Array, pos: number): number {
  return (
    ((bytes[pos] as number) << 24) |
    ((bytes[pos + 1] as number) << 16) |
    ((bytes[pos + 2] as number) << 8) |
    (bytes[pos + 3] as number)
  ); // callers checked the bounds
}

function writeUint32(bytes: Uint8Array, pos: number, value: number): void {
  bytes[pos] = value >>> 24;
  bytes[pos + 1] = value >>> 16;
  bytes[pos + 2] = value >>> 8;
  bytes[pos + 3] = value;
}

function binHeaderBytes(length: number): number {
  return length <= 0xff ? 2 : length <= 0xffff ? 3 : 5;
}

function writeBin(bytes: Uint8Array, start: number, content: Uint8Array): number {
  const header = binHeaderBytes(content.length);
  bytes[start] = header === 2 ? 0xc4 : header === 3 ? 0xc5 : 0xc6;
  for (let i = 1; i < header; i++) bytes[start + i] = content.length >>> (8 * (header - 1 - i));
  bytes.set(content, start + header);
  return start + header + content.length;
}

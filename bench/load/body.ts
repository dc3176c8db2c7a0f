/** Bytes of every body. The first 12 say what it is, the rest is filling. */
export const BODY_BYTES = 128;

const SOURCE = 0;
const SEQUENCE = 4;
const SENT_US = 8;
const FILLING = 0x6d;

/** A body from the publisher with this index. */
export function newBody(source: number): Buffer {
  const body = Buffer.alloc(BODY_BYTES, FILLING);
  body.writeUInt32BE(source, SOURCE);
  return body;
}

/** Numbers the body at `start` and notes when it is sent, in µs of the load's clock. */
export function stampBody(bytes: Buffer, start: number, sequence: number, sentUs: number): void {
  bytes.writeUInt32BE(sequence, start + SEQUENCE);
  bytes.writeUInt32BE(sentUs, start + SENT_US);
}

/** Index of the publisher of the body at `start`. */
export function bodySource(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start + SOURCE);
}

/** The publisher's number for the body at `start`, from 0. */
export function bodySequence(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start + SEQUENCE);
}

/** When the body at `start` was sent, in µs of the load's clock. */
export function bodySentUs(bytes: Buffer, start: number): number {
  return bytes.readUInt32BE(start + SENT_US);
}

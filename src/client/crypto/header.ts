/** An SFrame header: key id and counter (each 64 bits) and how many bytes it took. */
export interface Header {
  readonly kid: bigint;
  readonly ctr: bigint;
  readonly length: number;
}

const SHORT = 8n;
const IS_LONG = 0x8;

/** An SFrame header as bytes: RFC 9605, section 4.3. Both values are unsigned and below 2^64. */
export function encodeHeader(kid: bigint, ctr: bigint): Uint8Array {
  const bytes = [0];
  const config = (appendValue(bytes, kid) << 4) | appendValue(bytes, ctr);
  bytes[0] = config;
  return Uint8Array.from(bytes);
}

/** Reads the header at the start of `bytes`; undefined when it is cut short or not in its one shortest form. */
export function decodeHeader(bytes: Uint8Array): Header | undefined {
  const config = bytes[0];
  if (config === undefined) return undefined;
  const kidEnd = 1 + lengthOf(config >> 4);
  const ctrEnd = kidEnd + lengthOf(config & 0xf);
  if (bytes.length < ctrEnd) return undefined;
  const kid = readValue(config >> 4, bytes.subarray(1, kidEnd));
  const ctr = readValue(config & 0xf, bytes.subarray(kidEnd, ctrEnd));
  if (kid === undefined || ctr === undefined) return undefined;
  return { kid, ctr, length: ctrEnd };
}

/** Appends a value's bytes, if it needs any, and returns its four bits of the config byte. */
function appendValue(bytes: number[], value: bigint): number {
  if (value < SHORT) return Number(value);
  const start = bytes.length;
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.splice(start, 0, Number(rest & 0xffn));
  return IS_LONG | (bytes.length - start - 1);
}

function lengthOf(bits: number): number {
  return bits & IS_LONG ? (bits & 7) + 1 : 0;
}

function readValue(bits: number, bytes: Uint8Array): bigint | undefined {
  if (bytes.length === 0) return BigInt(bits);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return bytes[0] === 0 || value < SHORT ? undefined : value;
}

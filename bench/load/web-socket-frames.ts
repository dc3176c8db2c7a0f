/** WebSocket opcodes this client meets. Source: RFC 6455, section 5.2. */
export const Opcode = { TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

const FIN = 0x80;
const MASKED = 0x80;

/** Bytes of the header of a client's frame with this payload. */
export function clientHeaderBytes(payloadBytes: number): number {
  return (payloadBytes < 126 ? 2 : payloadBytes < 65_536 ? 4 : 10) + 4;
}

/** Writes the header of a client's frame at `offset`; returns the offset behind it. The mask is zeros: legal, and the payload stands as it is. */
function writeClientHeader(target: Buffer, offset: number, opcode: number, payloadBytes: number): number {
  target[offset] = FIN | opcode;
  const end = offset + clientHeaderBytes(payloadBytes);
  target.fill(0, offset + 1, end);
  if (payloadBytes < 126) {
    target[offset + 1] = MASKED | payloadBytes;
  } else if (payloadBytes < 65_536) {
    target[offset + 1] = MASKED | 126;
    target.writeUInt16BE(payloadBytes, offset + 2);
  } else {
    target[offset + 1] = MASKED | 127;
    target.writeUInt32BE(payloadBytes, offset + 6);
  }
  return end;
}

/** One frame as a client sends it. */
export function clientFrame(opcode: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(clientHeaderBytes(payload.length) + payload.length);
  frame.set(payload, writeClientHeader(frame, 0, opcode, payload.length));
  return frame;
}

/** Called for each frame with where its payload lies; the bytes are good until the call returns. */
export type FrameSink = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/** Cuts a server's byte stream into frames without copying, but for a frame that spans two reads. */
export class FrameReader {
  #rest: Buffer | undefined;
  readonly #sink: FrameSink;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Takes `bytes[0, length)`, which may be overwritten afterwards. Throws on what a server must not send. */
  read(bytes: Buffer, length: number): void {
    if (this.#rest === undefined) {
      const used = this.#frames(bytes, length);
      if (used < length) this.#rest = Buffer.from(bytes.subarray(used, length));
      return;
    }
    const joined = Buffer.concat([this.#rest, bytes.subarray(0, length)]);
    const used = this.#frames(joined, joined.length);
    this.#rest = used < joined.length ? joined.subarray(used) : undefined;
  }

  #frames(bytes: Buffer, length: number): number {
    let pos = 0;
    while (length - pos >= 2) {
      const head = bytes.readUInt8(pos);
      if ((head & 0xf0) !== FIN) throw new Error(`a fragmented or reserved frame, first byte ${head.toString(16)}`);
      const size = bytes.readUInt8(pos + 1);
      const start = pos + (size < 126 ? 2 : size === 126 ? 4 : 10);
      if (start > length) return pos;
      const end = start + (size < 126 ? size : size === 126 ? bytes.readUInt16BE(pos + 2) : readLength(bytes, pos + 2));
      if (end > length) return pos;
      this.#sink(head & 0x0f, bytes, start, end);
      pos = end;
    }
    return pos;
  }
}

function readLength(bytes: Buffer, pos: number): number {
  if (bytes.readUInt32BE(pos) !== 0) throw new Error('a frame over 4 GiB');
  return bytes.readUInt32BE(pos + 4);
}

import { BODY_BYTES, newBody, stampBody } from './body.ts';
import { clientFrame, clientHeaderBytes, Opcode } from './web-socket-frames.ts';

/** How many messages a publisher sends at a time, and whether as one WebSocket message or as one each. */
export interface WindowShape {
  readonly size: number;
  readonly isJoined: boolean;
}

/** The bytes of one publisher's messages in flight, made once and stamped anew for each sending. */
export class Window {
  readonly bytes: Buffer;
  readonly #bodies: readonly number[];

  constructor(shape: WindowShape, prefix: Uint8Array, source: number) {
    const message = Buffer.concat([prefix, newBody(source)]);
    const messages = Array.from({ length: shape.size }, () => message);
    const payloads = shape.isJoined ? [Buffer.concat(messages)] : messages;
    this.bytes = Buffer.concat(payloads.map((payload) => clientFrame(Opcode.BINARY, payload)));
    const step = shape.isJoined ? message.length : message.length + clientHeaderBytes(message.length);
    const last = this.bytes.length - BODY_BYTES;
    this.#bodies = messages.map((_, i) => last - (shape.size - 1 - i) * step);
  }

  /** Numbers the bodies from `first` on. */
  stamp(first: number, sentUs: number): void {
    for (const [i, start] of this.#bodies.entries()) stampBody(this.bytes, start, first + i, sentUs);
  }
}

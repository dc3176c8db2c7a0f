import { textOf } from './bytes.ts';

/** A message as the app gets it: decrypted, checked, and not seen before. */
export interface Message {
  /** The channel it came on, by its name on the relay. */
  readonly channel: string;
  readonly data: Uint8Array;
  /** `data` as UTF-8; bytes that are none become U+FFFD. */
  readonly text: string;
  /** The relay's number of the frame. */
  readonly seq: number;
  /** The connection it came from: random, another after each reconnect; 0 for HTTP. */
  readonly sender: number;
  /** What the sender left readable for the tenant's servers; authenticated with the body where there is a key. */
  readonly envelope: Uint8Array | null;
}

/** Makes a message of everything but its text, which is decoded when asked for. */
export function messageOf(parts: Omit<Message, 'text'>): Message {
  return Object.defineProperty(parts, 'text', {
    get: () => textOf(parts.data),
    enumerable: true,
  }) as Message; // now it has a text
}

/** What a message, or any event, costs beside its bytes, about. */
export const MESSAGE_BYTES = 256;

/** The memory that a message keeps while it waits. What decryption leaves has its padding behind it, in the same buffer. */
export function memoryOf({ data, envelope }: Pick<Message, 'data' | 'envelope'>): number {
  return MESSAGE_BYTES + data.buffer.byteLength + (envelope?.buffer.byteLength ?? 0);
}

/** A message as the app gets it: decrypted, checked, and not seen before. */
export interface Message {
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

/** Makes a message; its text is decoded when asked for. */
export function messageOf(data: Uint8Array, seq: number, sender: number, envelope: Uint8Array | null): Message {
  return {
    data,
    seq,
    sender,
    envelope,
    get text() {
      return new TextDecoder().decode(data);
    },
  };
}

import { fromBase64url, toBase64url } from './base64url.ts';
import { recordOf } from './json.ts';

/** What the pages of a room tell each other, inside encrypted messages. */
export type Words =
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly from: string;
      /** Lets the sender know its own message when it comes back. */
      readonly id: number;
    }
  | {
      /**
       * The key of the next generation. It travels under the key before, so whoever has that one gets the next as well: enough to show that no
       * message is lost. An app hands keys out over another way, to those who shall have them.
       */
      readonly kind: 'next-key';
      readonly key: Uint8Array;
      readonly generation: number;
    };

/** Words as the text of a message. */
export function encodeWords(words: Words): string {
  return JSON.stringify(words.kind === 'text' ? words : { ...words, key: toBase64url(words.key) });
}

/** Reads the text of a message; undefined when it is nothing this page knows. */
export function decodeWords(message: string): Words | undefined {
  const { kind, text, from, id, key, generation } = recordOf(message);
  if (kind === 'text' && typeof text === 'string' && typeof from === 'string' && typeof id === 'number') {
    return { kind, text, from, id };
  }
  const bytes = typeof key === 'string' ? fromBase64url(key) : undefined;
  if (kind === 'next-key' && bytes?.length === 32 && typeof generation === 'number') {
    return { kind, key: bytes, generation };
  }
  return undefined;
}

/** What a member says of itself in its presence. */
export interface About {
  /** The same over reconnects. */
  readonly id: string;
  readonly name: string;
}

/** Reads a member's presence; one that says nothing readable is called by its connection. */
export function decodeAbout(text: string, sender: number): About {
  const { id, name } = recordOf(text);
  return typeof id === 'string' && typeof name === 'string' ? { id, name } : { id: String(sender), name: `${sender}` };
}

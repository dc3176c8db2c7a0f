import { concat, utf8 } from './bytes.ts';

/** What members say to one another, encrypted like any message: the first byte of a presence frame. docs/ENCRYPTION.md, sections 5 and 6. */
export const Word = { HERE: 1, GONE: 2, WHO: 3, PROVE: 4, ALIVE: 5, ASK: 6, COUNT: 7 } as const;

/** A word with what follows it. */
export function word(byte: number, data: Uint8Array | string = ''): Uint8Array {
  return concat(Uint8Array.of(byte), typeof data === 'string' ? utf8(data) : data);
}

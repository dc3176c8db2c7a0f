import type { TestClient } from './client.ts';

/** What a client knows of one channel by the counting rules of docs/PROTOCOL.md, section 8. */
export interface Tally {
  /** MESSAGEs of other senders since the base. */
  readonly others: number;
  /** Frames lost by the last HEAD's arithmetic; 0 without a HEAD. */
  readonly lost: number;
  /** Numbers missing between the base and the highest seen, own frames included. */
  readonly missing: number;
  readonly isOrdered: boolean;
}

/** Applies the counting rules to everything a client received for a channel. */
export function tally(client: TestClient, channelId: number): Tally {
  let base = 0;
  let others = 0;
  let lost = 0;
  let last = 0;
  let missing = 0;
  let isOrdered = true;
  for (const frame of client.frames) {
    const [type, id, ...rest] = frame as number[];
    if ((type === 17 && frame[2] === channelId) || (type === 27 && id === channelId)) {
      base = Number(type === 17 ? frame[4] : frame[3]);
      others = 0;
      last = base;
    } else if (type === 4 && id === channelId) {
      const [seq = 0, sender] = rest;
      if (seq <= last) isOrdered = false;
      missing += seq - last - 1;
      last = seq;
      if (sender !== client.sender) others++;
    } else if (type === 22 && id === channelId) {
      const [seq = 0, own = 0] = rest;
      lost = seq - base - others - own;
      missing += seq - last;
      last = seq;
    }
  }
  return { others, lost, missing, isOrdered };
}

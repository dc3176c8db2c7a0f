import { textOf } from './bytes.ts';
import { nowMs } from './clock.ts';
import { randomBytes } from './crypto/web-crypto.ts';
import { Lru } from './lru.ts';

/** A member of a channel: a connection that entered, and what it says of itself. Another `sender` after each reconnect. */
export interface Member {
  readonly sender: number;
  readonly data: Uint8Array;
  /** `data` as UTF-8. */
  readonly text: string;
}

/** Where a sealed word stands among all that its sender sealed: of two under one KID, the higher counter is the later. */
export interface Place {
  readonly kid: bigint;
  readonly ctr: number;
}

/** What a KID of a sender is remembered by. */
export function placeId(sender: number, kid: bigint | string): string {
  return `${sender} ${kid}`;
}

/** What changed in the list of members. */
export type Change = 'join' | 'update' | 'leave';

interface Heard extends Place {
  readonly member: Member;
  readonly atMs: number;
  /** Under this KID it was there though the relay had said that it left: the relay's word about it counts no more. */
  readonly isProven: boolean;
}

/** Somebody who is gone, and what came of it since. */
interface Gone {
  /** The word with which it left, if it said so itself: what it says later counts. */
  readonly word: Place | null;
  /** The KID that it was listed with when the relay said it. */
  readonly kid: bigint | null;
  /** What it was asked, when, and what it said of itself meanwhile. */
  asked: { readonly question: string; readonly atMs: number; heard: Heard } | null;
}

/** Most members that are listed. */
const MAX_MEMBERS = 10_000;
/** Those who left last are remembered: what comes late of them makes no ghosts. */
const MAX_GONE = 4096;
/** How long an answer may take. */
const QUESTION_MS = 10_000;
/** Random bytes of a question. */
const QUESTION_BYTES = 8;

/**
 * Who is there, by what members say in sealed words, and by their silence. The relay's word takes a member off the list, as its silence
 * could; back on it, only that member's answer to a fresh question does.
 */
export class Members {
  readonly #onChange: (change: Change, member: Member) => void;
  readonly #heard = new Map<number, Heard>();
  readonly #gone = new Lru<Gone>(MAX_GONE);

  constructor(onChange: (change: Change, member: Member) => void) {
    this.#onChange = onChange;
  }

  get list(): readonly Member[] {
    return [...this.#heard.values()].map(({ member }) => member);
  }

  get count(): number {
    return this.#heard.size;
  }

  /** A member said what it is. Returns a question for one that is known to be gone: it is listed again when it answers. */
  here(sender: number, data: Uint8Array, place: Place): string | null {
    const atMs = nowMs();
    const before = this.#heard.get(sender);
    const isProven = before?.kid === place.kid && before.isProven;
    const heard = { ...place, member: { sender, data, text: textOf(data) }, atMs, isProven };
    const gone = this.#gone.peek(`${sender}`);
    if (gone === undefined || isLater(place, gone.word)) this.#list(heard);
    else if (gone.word?.kid === place.kid)
      return null; // said before it left
    else if (gone.asked === null || atMs - gone.asked.atMs > QUESTION_MS) {
      gone.asked = { question: newQuestion(), atMs, heard };
      return gone.asked.question;
    } else if (isLater(place, gone.asked.heard)) gone.asked.heard = heard;
    return null;
  }

  /** A member answered a question. */
  answered(sender: number, answers: readonly string[]): void {
    const { asked = null, kid } = this.#gone.peek(`${sender}`) ?? {};
    if (asked !== null && answers.includes(asked.question))
      this.#list({ ...asked.heard, isProven: asked.heard.kid === kid });
  }

  /** A member said that it left. */
  left(sender: number, word: Place): void {
    const heard = this.#heard.get(sender);
    if (heard?.kid === word.kid && heard.ctr > word.ctr) return;
    this.#remove(sender, { word, kid: null });
  }

  /** The relay says that a member is gone. Of one that is, or proved it wrong, that says nothing. */
  lost(sender: number): void {
    const heard = this.#heard.get(sender);
    const isKnown = heard?.isProven ?? this.#gone.peek(`${sender}`) !== undefined;
    if (!isKnown) this.#remove(sender, { word: null, kid: heard?.kid ?? null });
  }

  /** Takes for gone who was not heard for so long. */
  expire(silentMs: number): void {
    const sinceMs = nowMs() - silentMs;
    for (const [sender, { atMs }] of this.#heard) if (atMs < sinceMs) this.#remove(sender, { word: null, kid: null });
  }

  /** Nobody is known any more: they have to be learnt anew. */
  clear(): void {
    for (const sender of [...this.#heard.keys()]) this.#drop(sender);
  }

  #remove(sender: number, why: Omit<Gone, 'asked'>): void {
    this.#gone.set(`${sender}`, { ...why, asked: null });
    this.#drop(sender);
  }

  #drop(sender: number): void {
    const heard = this.#heard.get(sender);
    if (heard !== undefined && this.#heard.delete(sender)) this.#onChange('leave', heard.member);
  }

  #list(heard: Heard): void {
    const { sender, data } = heard.member;
    const before = this.#heard.get(sender);
    if (before === undefined ? this.#heard.size >= MAX_MEMBERS : before.kid === heard.kid && before.ctr > heard.ctr)
      return;
    this.#gone.delete(`${sender}`);
    this.#heard.set(sender, heard);
    if (before === undefined) this.#onChange('join', heard.member);
    else if (!isSame(before.member.data, data)) this.#onChange('update', heard.member);
  }
}

/** A text that nobody can have answered before. */
function newQuestion(): string {
  return Array.from(randomBytes(QUESTION_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function isLater({ kid, ctr }: Place, than: Place | null): boolean {
  return than !== null && kid === than.kid && ctr > than.ctr;
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

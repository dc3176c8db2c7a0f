import type { Account } from './account.ts';
import { textOf } from './bytes.ts';
import { nowMs } from './clock.ts';
import type { ReplayWindow } from './crypto/replay-window.ts';
import type { Link } from './link.ts';
import { Lru } from './lru.ts';
import { type Place, placeId } from './members.ts';
import { Tally } from './tally.ts';
import { Word, word } from './words.ts';

/** What counting needs of its channel, or of all that a pattern matches. */
export interface CountingPorts {
  /** The account of the own frames; null where none are sealed. */
  readonly account: Account | null;
  /** Publishes a presence frame. */
  readonly send: (data: Uint8Array) => Promise<void>;
  /** Does something behind all that came before. */
  readonly behind: (act: () => void) => void;
  /** Tells that frames of a sender did not come, and that neither the sender nor anything that was told explains why. */
  readonly tell: (channel: string, sender: number, count: number) => void;
}

/** Somebody's hole that nothing explains. */
interface Hole {
  readonly tally: Tally;
  readonly sender: number;
  readonly kid: bigint;
}

/** Channels whose counters are looked at, where a pattern hears many. */
const MAX_TALLIES = 4096;
const MAX_HOLES = 64;
/** A question waits at least this long, and up to the spread longer: others may ask the same. */
const ASK_MS = 200;
const ASK_SPREAD_MS = 800;
const ASK_SPREAD_MS_PER_CONNECTION = 4;
const MAX_PACED_CONNECTIONS = 10_000;
/** It is asked again with growing waits. */
const ASK_AGAIN_MS = 4000;
/** Unasked, a sender states its account after so many frames, and not more often than this. */
const UNTOLD_FRAMES = 64;
const STATE_PACE_MS = 30_000;
const ANSWER_PACE_MS = 1000;

/** Finds the frames that somebody between sender and receiver withholds: docs/ENCRYPTION.md, section 6. */
export class Counting {
  readonly #ports: CountingPorts;
  readonly #tallies = new Lru<Tally>(MAX_TALLIES);
  readonly #holes = new Map<string, Hole>();
  #link: Link | null = null;
  #spreadMs = ASK_SPREAD_MS;
  #asking: ReturnType<typeof setTimeout> | undefined;
  #stating: ReturnType<typeof setTimeout> | undefined;
  #statedAtMs = 0;
  #stateAtMs = 0;

  constructor(ports: CountingPorts) {
    this.#ports = ports;
  }

  /** Attached on a connection, with so many others by the relay's word. */
  begin(link: Link, occupancy: number): void {
    this.#link = link;
    this.#statedAtMs = nowMs();
    const paced = Math.min(occupancy, MAX_PACED_CONNECTIONS);
    this.#spreadMs = Math.max(ASK_SPREAD_MS, ASK_SPREAD_MS_PER_CONNECTION * paced);
  }

  /** So many frames of a channel were lost, before this point and by whomever; null where nobody knows how many. */
  lost(channel: string, count: number | null): void {
    this.#tallies.peek(channel)?.lost(count);
  }

  /** A frame was refused, or found no room. */
  refused(channel: string, sender: number, { kid }: Place): void {
    this.#tallies.peek(channel)?.refused(placeId(sender, kid));
  }

  /** A frame of somebody was opened. */
  opened(channel: string, sender: number, { kid }: Place, window: ReplayWindow): void {
    const id = placeId(sender, kid);
    const tally = this.#tallies.peek(channel) ?? new Tally();
    this.#tallies.set(channel, tally);
    const isToBeAsked = tally.opened(id, window) && sender !== 0 && this.#ports.account !== null;
    if (!isToBeAsked || this.#holes.has(id) || this.#holes.size >= MAX_HOLES) return;
    this.#holes.set(id, { tally, sender, kid });
    this.#askSoon(ASK_MS + Math.random() * this.#spreadMs);
  }

  /** Takes what a member said. */
  receive(channel: string, sender: number, said: Uint8Array): void {
    const parts = textOf(said.subarray(1)).split(' ');
    if (said[0] === Word.ASK) this.#asked(parts);
    else if (said[0] === Word.COUNT) {
      for (let i = 0; i + 2 < parts.length; i += 3)
        this.#stated(channel, placeId(sender, parts[i] ?? ''), Number(parts[i + 1]), Number(parts[i + 2]));
    }
  }

  /** Frames were sealed: states the account where it is time to. */
  sealed(): void {
    const { account } = this.#ports;
    if (account?.isTurned === true) this.#stateIn(ANSWER_PACE_MS);
    else if (account !== null && account.untoldCount >= UNTOLD_FRAMES) this.#stateIn(STATE_PACE_MS);
  }

  end(): void {
    clearTimeout(this.#asking);
    clearTimeout(this.#stating);
    this.#link = null;
  }

  #asked([sender, kid]: readonly string[]): void {
    const { account } = this.#ports;
    const isOwn = sender === `${this.#link?.sender}` && account?.kids.includes(kid ?? '');
    if (isOwn === true) this.#stateIn(ANSWER_PACE_MS);
  }

  /** States the account, that long after it did so last. */
  #stateIn(paceMs: number): void {
    const atMs = Math.max(nowMs(), this.#statedAtMs + paceMs);
    if (this.#stating !== undefined && this.#stateAtMs <= atMs) return;
    clearTimeout(this.#stating);
    this.#stateAtMs = atMs;
    this.#stating = setTimeout(() => {
      this.#stating = undefined;
      this.#state().catch(() => {}); // whoever still wants to know asks again
    }, atMs - nowMs());
  }

  /** Says what became of the frames until now, once the relay has taken or refused all of them. */
  async #state(): Promise<void> {
    const [link, { account, send }] = [this.#link, this.#ports];
    if (link === null || account === null) return;
    this.#statedAtMs = nowMs();
    const statements = account.mark();
    let text = '';
    await link.ping(() => {
      text = statements().flat().join(' ');
    });
    if (link === this.#link) await send(word(Word.COUNT, text));
  }

  /** A sender stated what became of its frames. What is missing of the others was withheld, unless the relay is about to say how it was lost. */
  #stated(channel: string, id: string, upTo: number, refusedCount: number): void {
    const [tally, link] = [this.#tallies.peek(channel), this.#link];
    if (tally === undefined || !Number.isSafeInteger(upTo) || !(refusedCount >= 0)) return;
    tally.stated(id, refusedCount);
    if (link === null || tally.unexplained(id, upTo) === 0) return;
    const [sender] = id.split(' ');
    link.caughtUp().then(
      () =>
        this.#ports.behind(() => {
          const count = link === this.#link ? tally.unexplained(id, upTo) : 0;
          tally.tell(id, count);
          if (count > 0) this.#ports.tell(channel, Number(sender), count);
        }),
      () => {},
    );
  }

  #askSoon(inMs: number): void {
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      this.#ask();
    }, inMs);
  }

  /** Asks the senders of all holes that nothing explains by now. */
  #ask(): void {
    let mostAsked = 0;
    for (const [id, { tally, sender, kid }] of this.#holes) {
      const askedCount = tally.asks(id);
      mostAsked = Math.max(mostAsked, askedCount);
      if (askedCount === 0) this.#holes.delete(id);
      else this.#ports.send(word(Word.ASK, `${sender} ${kid}`)).catch(() => {}); // asked again
    }
    if (mostAsked > 0) this.#askSoon(ASK_AGAIN_MS * 2 ** mostAsked);
  }
}

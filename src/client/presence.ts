import { concat, textOf } from './bytes.ts';
import { MayflyError } from './errors.ts';
import { Events } from './events.ts';
import { dataOf } from './given.ts';

/** A member of a channel: a connection that entered, and what it says of itself. Another `sender` after each reconnect. */
export interface Member {
  readonly sender: number;
  readonly data: Uint8Array;
  /** `data` as UTF-8. */
  readonly text: string;
}

/** What presence tells the app. */
export interface PresenceEvents {
  join: Member;
  update: Member;
  leave: Member;
  /** The relay's count of connections in the channel, entered or not. */
  count: number;
}

/** What members say to one another, encrypted like any message: the first byte of a presence frame. docs/ENCRYPTION.md has the kind. */
const Word = { HERE: 1, GONE: 2, WHO: 3 } as const;

const HEARTBEAT_MS = 25_000;
/** Everybody hears everybody's heartbeat: in large channels it is slower. */
const HEARTBEAT_MS_PER_MEMBER = 50;
/** A member that was not heard for two heartbeats and a bit is gone, if LEFT was missed. */
const SILENT_HEARTBEATS = 2.4;
/** Answers to WHO are spread, so that a large channel does not answer all at once. */
const ANSWER_SPREAD_MS = 400;
const ANSWER_SPREAD_MS_PER_MEMBER = 4;
/** Larger channels keep the pace of this many: the count is only the relay's word. */
const MAX_PACED_MEMBERS = 10_000;

interface Heard {
  readonly member: Member;
  readonly atMs: number;
}

/** Who is in a channel. The relay knows counts and random ids only; who is behind an id, members tell each other in encrypted frames. */
export class Presence {
  readonly #send: (data: Uint8Array) => Promise<void>;
  readonly #events = new Events<PresenceEvents>('join', 'update', 'leave', 'count');
  readonly #heard = new Map<number, Heard>();
  #own: Uint8Array | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #answer: ReturnType<typeof setTimeout> | undefined;
  #count = 0;

  /** @internal `send` publishes a presence frame. */
  constructor(send: (data: Uint8Array) => Promise<void>) {
    this.#send = send;
  }

  /** The members heard of, this connection left out. */
  get members(): readonly Member[] {
    return [...this.#heard.values()].map(({ member }) => member);
  }

  /** Connections in the channel by the relay's count, entered or not, this one included. */
  get count(): number {
    return this.#count;
  }

  /** Listens to an event; the returned function stops that. */
  on<Name extends keyof PresenceEvents>(name: Name, listener: (event: PresenceEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /** Enters with what the others shall know, or changes it. Without a connection they are told at the next. */
  async enter(data: Uint8Array | string): Promise<void> {
    this.#own = dataOf(data).slice();
    await this.#here().catch(unlessAway);
  }

  /** Leaves, but not the channel. */
  async leave(): Promise<void> {
    if (this.#own === null) return;
    this.#own = null;
    await this.#send(Uint8Array.of(Word.GONE)).catch(unlessAway);
  }

  /** @internal Attached on a new connection: everybody else's ids are to be learnt, and the own is another. */
  begin(occupancy: number): void {
    if (this.#timer === undefined) this.#arm(); // ahead of the listeners, who may end all of this
    for (const sender of [...this.#heard.keys()]) this.left(sender);
    this.counted(occupancy);
    this.ask();
    this.#tell();
  }

  /** @internal Asks everybody to tell who they are: some of it may have been lost. */
  ask(): void {
    this.#send(Uint8Array.of(Word.WHO)).catch(() => {}); // without a connection the next one asks
  }

  /** @internal Takes what another member said. */
  receive(sender: number, said: Uint8Array): void {
    const data = said.slice(1);
    if (said[0] === Word.WHO) this.#answerSoon();
    else if (said[0] === Word.GONE) this.left(sender);
    else if (said[0] === Word.HERE) this.#hear(sender, data);
  }

  /** @internal Takes a LEFT. */
  left(sender: number): void {
    const heard = this.#heard.get(sender);
    if (heard === undefined) return;
    this.#heard.delete(sender);
    this.#events.emit('leave', heard.member);
  }

  /** @internal Takes an OCCUPANCY. */
  counted(count: number): void {
    if (count === this.#count) return;
    this.#count = count;
    this.#events.emit('count', count);
  }

  /** @internal The relay ended the attachment: nobody is known any more. */
  detached(): void {
    this.end();
    for (const sender of [...this.#heard.keys()]) this.left(sender);
  }

  /** @internal */
  end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#answer);
    this.#timer = this.#answer = undefined;
  }

  #hear(sender: number, data: Uint8Array): void {
    const before = this.#heard.get(sender)?.member;
    const member = { sender, data, text: textOf(data) };
    this.#heard.set(sender, { member, atMs: Date.now() });
    if (before === undefined) this.#events.emit('join', member);
    else if (before.data.length !== data.length || before.data.some((byte, i) => byte !== data[i])) {
      this.#events.emit('update', member);
    }
  }

  #beat(): void {
    this.#arm();
    const silentMs = SILENT_HEARTBEATS * this.#heartbeatMs;
    for (const [sender, { atMs }] of this.#heard) if (Date.now() - atMs > silentMs) this.left(sender);
    this.#tell();
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#beat(), this.#heartbeatMs);
  }

  get #heartbeatMs(): number {
    return HEARTBEAT_MS + HEARTBEAT_MS_PER_MEMBER * this.#pacedMembers;
  }

  get #pacedMembers(): number {
    return Math.min(this.#count, MAX_PACED_MEMBERS);
  }

  #answerSoon(): void {
    if (this.#own === null || this.#answer !== undefined) return;
    this.#answer = setTimeout(
      () => {
        this.#answer = undefined;
        this.#tell();
      },
      Math.random() * Math.max(ANSWER_SPREAD_MS, ANSWER_SPREAD_MS_PER_MEMBER * this.#pacedMembers),
    );
  }

  #here(): Promise<void> {
    return this.#own === null ? Promise.resolve() : this.#send(concat(Uint8Array.of(Word.HERE), this.#own));
  }

  /** Tells the others what this member said of itself, if anything. */
  #tell(): void {
    this.#here().catch(() => {}); // without a connection the next one tells
  }
}

/** Without a connection there is nobody to tell: those who are there know by the relay's LEFT, and the next connection begins anew. */
function unlessAway(error: unknown): void {
  if (!(error instanceof MayflyError && error.code === 'not_connected')) throw error;
}

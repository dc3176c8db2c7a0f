import { textOf } from './bytes.ts';
import { MayflyError } from './errors.ts';
import { Events, type ListenOptions } from './events.ts';
import { dataOf } from './given.ts';
import { InOrder } from './in-order.ts';
import { type Member, Members, type Place } from './members.ts';
import { Word, word } from './words.ts';

/** What presence tells the app. */
export interface PresenceEvents {
  join: Member;
  update: Member;
  leave: Member;
  /** How many have entered, this connection included if it has. */
  count: number;
  /** Connections in the channel by the relay's word alone, entered or not: a hint. */
  occupancy: number;
}

/** What presence needs. */
export interface PresencePorts {
  /** Publishes a presence frame. */
  readonly send: (data: Uint8Array) => Promise<void>;
  /** Takes why something cannot be told that was taken while there was no connection. */
  readonly onError: (error: MayflyError) => void;
}

const HEARTBEAT_MS = 25_000;
/** Everybody hears everybody's heartbeat: in large channels it is slower. */
const HEARTBEAT_MS_PER_MEMBER = 50;
/** A member that was not heard for two heartbeats and a bit is gone. */
const SILENT_HEARTBEATS = 2.4;
/** Answers are spread, so that a large channel does not answer all at once. */
const ANSWER_SPREAD_MS = 400;
const ANSWER_SPREAD_MS_PER_MEMBER = 4;
/** Questions answered at once. */
const MAX_QUESTIONS = 64;
/** WHO is said no more often than this, whatever the relay says. */
const ASK_PACE_MS = 1000;

/** Who is in a channel: by what members tell each other in encrypted frames. The relay knows counts and random ids only. */
export class Presence {
  readonly #ports: PresencePorts;
  readonly #events = new Events<PresenceEvents>('join', 'update', 'leave', 'count', 'occupancy');
  readonly #members: Members;
  readonly #changes = new InOrder();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Questions to answer. */
  #questions: string[] = [];
  #sender = 0;
  /** What the app said of this member, and what of that was handed to a connection. */
  #own: Uint8Array | null = null;
  #told: Uint8Array | null = null;
  /** Changes of that under way; what is to be told meanwhile is owed. */
  #changeCount = 0;
  #isOwed = false;
  #isAskOwed = false;
  #count = 0;
  #occupancy = 0;

  /** @internal */
  constructor(ports: PresencePorts) {
    this.#ports = ports;
    this.#members = new Members((change, member) => {
      this.#events.emit(change, member);
      this.#recount();
    });
  }

  /** The members heard of, this connection left out. */
  get members(): readonly Member[] {
    return this.#members.list;
  }

  /** How many have entered by what they said themselves, this connection included if it has. */
  get count(): number {
    return this.#members.count + (this.#own === null ? 0 : 1);
  }

  /** Connections in the channel by the relay's word alone, entered or not, this one included: a hint. */
  get occupancy(): number {
    return this.#occupancy;
  }

  /** Listens to an event; the returned function stops that, and so does the signal. */
  on<Name extends keyof PresenceEvents>(
    name: Name,
    listener: (event: PresenceEvents[Name]) => void,
    options?: ListenOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /**
   * Enters with what the others shall know, or changes it. Without a connection they are told at the next. When it rejects, nothing has
   * changed: with `frame_too_large`, why nothing can be sent, or a TypeError for what is neither bytes nor a text.
   */
  async enter(data: Uint8Array | string): Promise<void> {
    await this.#change(dataOf(data).slice());
  }

  /** Leaves, but not the channel. When it rejects, nothing has changed. */
  async leave(): Promise<void> {
    if (this.#own !== null || this.#changeCount > 0) await this.#change(null);
  }

  /** @internal Attached on a new connection: everybody else's ids are to be learnt, and the own is `sender`. */
  begin(occupancy: number, sender: number): void {
    this.#sender = sender;
    this.end();
    this.#arm(); // ahead of the listeners, who may end all of this
    this.#members.clear();
    this.counted(occupancy);
    this.ask();
    this.#tell();
  }

  /** @internal Asks everybody to tell who they are: some of it may have been lost. */
  ask(): void {
    if (!this.#timers.has('beat')) return;
    this.#isAskOwed = this.#timers.has('ask');
    if (this.#isAskOwed) return;
    this.#say(Word.WHO);
    this.#after('ask', ASK_PACE_MS, () => {
      if (this.#isAskOwed) this.ask();
    });
  }

  /** @internal Takes what another member said, and where that stands among all that it sealed. */
  receive(sender: number, said: Uint8Array, place: Place): void {
    const data = said.slice(1);
    if (said[0] === Word.WHO) this.#tellSoon();
    else if (said[0] === Word.GONE) this.#members.left(sender, place);
    else if (said[0] === Word.HERE) this.#hear(sender, data, place);
    else if (said[0] === Word.PROVE) this.#proveSoon(textOf(data));
    else if (said[0] === Word.ALIVE) this.#members.answered(sender, textOf(data).split(' '));
  }

  /** @internal Takes a LEFT. */
  left(sender: number): void {
    this.#members.lost(sender);
  }

  /** @internal Takes an OCCUPANCY. */
  counted(occupancy: number): void {
    if (occupancy === this.#occupancy) return;
    this.#occupancy = occupancy;
    this.#events.emit('occupancy', occupancy);
  }

  /** @internal The relay ended the attachment: nobody is known any more. */
  detached(): void {
    this.end();
    this.#members.clear();
  }

  /** @internal */
  end(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  /** Changes what is said of this member, once it was handed over; several changes take effect in their order. */
  async #change(own: Uint8Array | null): Promise<void> {
    this.#changeCount++;
    try {
      const isTold = await this.#changes.settle(
        this.#ports.send(own === null ? word(Word.GONE) : word(Word.HERE, own)).then(() => true, unlessAway),
      );
      this.#own = own;
      if (isTold) this.#told = own;
      this.#recount();
    } finally {
      this.#changeCount--;
      if (this.#changeCount === 0 && this.#isOwed) this.#tell();
    }
  }

  /** Tells the others what this member said of itself, if anything. */
  #tell(): void {
    this.#isOwed = this.#changeCount > 0;
    const own = this.#own;
    if (this.#isOwed || own === null) return;
    this.#ports.send(word(Word.HERE, own)).then(
      () => {
        this.#told = own;
      },
      (error: unknown) => this.#untold(own, error),
    );
  }

  /** What was taken without a connection may be too large for the one that came; else there is none again, and the next one tells. */
  #untold(own: Uint8Array, error: unknown): void {
    if (this.#own !== own || !(error instanceof MayflyError) || error.code !== 'frame_too_large') return;
    this.#own = this.#told === own ? null : this.#told;
    this.#recount();
    this.#ports.onError(error);
    this.#tell();
  }

  /** Says something that nobody misses: without a connection the next one begins anew. */
  #say(byte: number, text = ''): void {
    this.#ports.send(word(byte, text)).catch(() => {});
  }

  #hear(sender: number, data: Uint8Array, place: Place): void {
    const question = this.#members.here(sender, data, place);
    if (question !== null)
      this.#after(`prove ${sender}`, this.#spreadMs(0), () => this.#say(Word.PROVE, `${sender} ${question}`));
  }

  /** Answers whoever asks whether this member is still there: only it can. */
  #proveSoon(asked: string): void {
    const [sender, question = ''] = asked.split(' ');
    if (this.#own === null || sender !== `${this.#sender}` || this.#questions.length >= MAX_QUESTIONS) return;
    this.#questions.push(question);
    this.#after('alive', this.#spreadMs(0), () => this.#say(Word.ALIVE, this.#questions.splice(0).join(' ')));
  }

  #tellSoon(): void {
    if (this.#own !== null) this.#after('tell', this.#spreadMs(ANSWER_SPREAD_MS), () => this.#tell());
  }

  #arm(): void {
    this.#after('beat', this.#heartbeatMs, () => {
      this.#arm();
      this.#members.expire(SILENT_HEARTBEATS * this.#heartbeatMs);
      this.#tell();
    });
  }

  /** Does something after a while, unless something of that name waits already. */
  #after(name: string, inMs: number, act: () => void): void {
    if (this.#timers.has(name)) return;
    const timer = setTimeout(() => {
      this.#timers.delete(name);
      act();
    }, inMs);
    this.#timers.set(name, timer);
  }

  #recount(): void {
    const { count } = this;
    if (count === this.#count) return;
    this.#count = count;
    this.#events.emit('count', count);
  }

  get #heartbeatMs(): number {
    return HEARTBEAT_MS + HEARTBEAT_MS_PER_MEMBER * this.#members.count;
  }

  #spreadMs(leastMs: number): number {
    return Math.random() * Math.max(leastMs, ANSWER_SPREAD_MS_PER_MEMBER * this.#members.count);
  }
}

/** Without a connection there is nobody to tell: those who are there know by the relay's LEFT, and the next connection begins anew. */
function unlessAway(error: unknown): false {
  if (error instanceof MayflyError && error.code === 'not_connected') return false;
  throw error;
}

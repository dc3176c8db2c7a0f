import {
  type Channel,
  connect,
  MayflyError,
  type Member,
  type Message,
  type OpenRefusal,
  type Relay,
} from '../client/index.ts';
import { describeAbsence } from './absence.ts';
import { Guest } from './guest.ts';
import type { Pane } from './pane.ts';
import { describeRefusal } from './refusals.ts';
import type { Room } from './room.ts';
import { Roster } from './roster.ts';
import type { Strip } from './strip.ts';
import { Tap } from './tap.ts';
import { type About, decodeWords, encodeWords, type Words } from './words.ts';

/** What a person needs of the page. */
export interface PersonPorts {
  readonly room: Room;
  readonly pane: Pane;
  readonly strip: Strip;
  /** A frame did not open. */
  readonly onRefused: (reason: OpenRefusal) => void;
}

const CUT_MS = 5000;
const BACKOFF = { firstMs: 300, maxMs: 2000 };
const MAX_UNSENT = 100;
/** After a reconnect: members answer within 400 ms when they are asked who they are. */
const SETTLE_MS = 1500;

/** One of the two people: a connection and a channel of the SDK, shown in a pane. */
export class Person {
  readonly #ports: PersonPorts;
  readonly #guest = new Guest();
  readonly #tap: Tap;
  readonly #roster = new Roster();
  readonly #leaving = new AbortController();
  readonly #refused = new Set<OpenRefusal>();
  #relay: Relay | undefined;
  #channel: Channel | undefined;
  #handing: Words | undefined;
  #brokeAtMs: number | undefined;
  #lost: number | null | undefined;
  #nextId = 1;

  constructor(ports: PersonPorts) {
    this.#ports = ports;
    this.#tap = new Tap((frame) => ports.strip.sightings.see(ports.pane.side, frame));
    ports.pane.actions = { say: (text) => this.#say(text), rename: () => this.#enter(), cut: () => this.#cut() };
  }

  get isConnected(): boolean {
    return this.#relay?.isConnected === true && this.#channel !== undefined;
  }

  /** Connects and enters the room. From then on the SDK comes back by itself. */
  async join(url: string): Promise<void> {
    const { room, pane } = this.#ports;
    pane.joining();
    try {
      const relay = await connect(url, {
        token: () => this.#guest.token(),
        socket: this.#tap.open,
        backoff: BACKOFF,
        signal: this.#leaving.signal,
      });
      this.#relay = relay;
      this.#follow(relay);
      const channel = await relay.channel(room.channel, {
        key: room.ring,
        presence: true,
        echo: true,
        maxUnsent: MAX_UNSENT,
      });
      this.#channel = channel;
      this.#listen(channel);
      this.#online();
      this.#enter();
    } catch (error) {
      if (this.#leaving.signal.aborted) return;
      this.#relay?.close();
      const why = error instanceof MayflyError ? error.code : String(error);
      pane.ended();
      pane.transcript.note(`Could not join: ${why}. Load the page again.`);
    }
  }

  /** Hands a next key to everybody, this page included: it comes back like any message. */
  async hand(words: Words): Promise<void> {
    this.#handing = words;
    await this.#channel?.publish(encodeWords(words));
  }

  /** Leaves for good. */
  leave(): void {
    this.#leaving.abort();
    this.#relay?.close();
  }

  #say(text: string): void {
    const { transcript, side, name } = this.#ports.pane;
    const id = this.#nextId++;
    transcript.own(id, text, side, this.isConnected ? 'sending' : 'waits for the connection');
    this.#channel?.publish(encodeWords({ kind: 'text', text, from: name, id })).catch((error: unknown) => {
      transcript.abandon('not sent');
      transcript.note(`Could not send: ${error instanceof MayflyError ? error.message : String(error)}.`);
    });
  }

  #enter(): void {
    const about: About = { id: this.#guest.id, name: this.#ports.pane.name };
    this.#channel?.presence.enter(JSON.stringify(about)).catch(() => {}); // without a connection: told on the next one
  }

  #cut(): void {
    this.#guest.bar(CUT_MS);
    this.#tap.cut();
  }

  #follow(relay: Relay): void {
    const { pane } = this.#ports;
    relay.on('reconnecting', () => this.#away());
    relay.on('reconnected', ({ isSameRelay }) => this.#back(isSameRelay));
    relay.on('closed', ({ error }) => {
      if (error === undefined) return;
      pane.ended();
      pane.transcript.note(`The connection is over: ${error.code}. Load the page again.`);
    });
  }

  #listen(channel: Channel): void {
    const { pane } = this.#ports;
    channel.on('message', (message) => this.#hear(message));
    channel.on('loss', ({ count, cause }) => {
      if (cause === 'reconnect') this.#lost = count;
      else pane.transcript.loss(`Missed exactly ${count} messages: this page read too slowly.`);
    });
    channel.on('refused', ({ reason, sender, seq }) => {
      const isFirst = !this.#refused.has(reason);
      this.#refused.add(reason);
      if (isFirst) pane.transcript.note(describeRefusal(reason));
      this.#ports.strip.refused(sender, seq);
      this.#ports.onRefused(reason);
    });
    channel.on('error', (error) => pane.transcript.note(`The relay refused: ${error.message}.`));
    const tell = (change: 'join' | 'update' | 'leave') => (member: Member) => {
      const line = this.#roster[change](member);
      if (line !== undefined) pane.transcript.note(line);
      pane.here(this.#roster.names);
    };
    for (const change of ['join', 'update', 'leave'] as const) channel.presence.on(change, tell(change));
    channel.presence.on('join', () => {
      // Someone who joins between preparing and rotating has a link to the old key, and has heard of no other.
      if (this.#ports.room.isRotating && this.#handing !== undefined) this.hand(this.#handing).catch(() => {});
    });
  }

  #hear({ text, sender, seq }: Message): void {
    const { room, pane, strip } = this.#ports;
    const words = decodeWords(text);
    if (words?.kind === 'next-key') room.accept(words);
    if (words?.kind !== 'text') return;
    const trace = { sender, seq, size: strip.sightings.find(sender, seq)?.size ?? 0 };
    if (sender === strip.sightings.senderOf(pane.side)) pane.transcript.confirm(words.id, trace);
    else pane.transcript.other(words.from, words.text, strip.sightings.sideOf(sender), trace);
  }

  #online(): void {
    this.#ports.pane.online(this.#ports.strip.sightings.senderOf(this.#ports.pane.side) ?? 0);
    this.#ports.pane.here(this.#roster.names);
  }

  #away(): void {
    const { pane } = this.#ports;
    pane.offline(this.#guest.barredUntilMs);
    if (this.#brokeAtMs !== undefined) return;
    this.#brokeAtMs = Date.now();
    this.#lost = undefined;
    this.#roster.away();
    pane.transcript.abandon('sent, not confirmed');
    const isCut = this.#guest.barredUntilMs > Date.now();
    pane.transcript.note(isCut ? 'Cut off for 5 seconds.' : 'The connection broke. It comes back by itself.');
  }

  #back(isSameRelay: boolean): void {
    const { pane } = this.#ports;
    const awayMs = Date.now() - (this.#brokeAtMs ?? Date.now());
    this.#brokeAtMs = undefined;
    this.#online();
    pane.transcript.loss(describeAbsence({ awayMs, lost: this.#lost, isSameRelay }));
    setTimeout(() => {
      if (this.#brokeAtMs === undefined) for (const line of this.#roster.settled()) pane.transcript.note(line);
    }, SETTLE_MS);
  }
}

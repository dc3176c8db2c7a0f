// A member that lost messages learns which, and gets them from the others: npx tsx examples/recover-loss.ts
import { EventEmitter, once } from 'node:events';
import { type Channel, ChannelKey, connect, type Relay } from 'mayfly/client';
import { WebSocket } from 'ws';
import { ca, options, relayUrl } from './environment.ts';

// #region room
/** The latest messages that a member holds, in memory only, to help others with. */
const MAX_HELD = 100;

/** What members say on the second channel: who has the numbers from `first` to `last`? And: number `seq` was this. */
type Question = { readonly first: number; readonly last: number };
type Answer = { readonly seq: number; readonly text: string };

/** What a room tells the app. */
interface Listener {
  message(seq: number, text: string): void;
  lost(first: number, last: number): void;
  /** Comes late. That it is the true text is the word of the member who sent it. */
  recovered(seq: number, text: string): void;
}

/** A room whose members fill each other's gaps. */
class Room {
  readonly #talk: Channel;
  readonly #help: Channel;
  readonly #listener: Listener;
  readonly #held = new Map<number, string>();
  readonly #missing = new Set<number>();

  /** Joins. With echo a member learns the numbers of its own messages too, and can help with them. */
  static async join(relay: Relay, key: ChannelKey, listener: Listener): Promise<Room> {
    const talk = await relay.channel('room.42', { key, echo: true });
    // After a reconnect this channel may be back a little later than the other: questions wait for it.
    const help = await relay.channel('room.42.help', { key, maxUnsent: 10 });
    return new Room(talk, help, listener);
  }

  private constructor(talk: Channel, help: Channel, listener: Listener) {
    this.#talk = talk;
    this.#help = help;
    this.#listener = listener;
    talk.on('message', ({ seq, text }) => {
      this.#hold(seq, text);
      listener.message(seq, text);
    });
    talk.on('loss', ({ count, firstSeq, lastSeq }) => {
      if (count === null) this.#beginAnew();
      else if (firstSeq !== null && lastSeq !== null) this.#ask(firstSeq, lastSeq); // what was withheld has no number to ask for
    });
    help.on('message', ({ text }) => {
      const said = JSON.parse(text) as Question | Answer; // a member wrote it
      if ('first' in said) this.#answer(said);
      else this.#recover(said);
    });
  }

  say(text: string): Promise<void> {
    return this.#talk.publish(text);
  }

  /** Asks who has the numbers from `first` to `last` that did not come. */
  #ask(first: number, last: number): void {
    for (let seq = Math.max(first, last - MAX_HELD + 1); seq <= last; seq++) {
      if (!this.#held.has(seq)) this.#missing.add(seq);
    }
    trim(this.#missing);
    this.#listener.lost(first, last);
    this.#say({ first, last });
  }

  #hold(seq: number, text: string): void {
    this.#held.set(seq, text);
    trim(this.#held);
  }

  /** Where many could answer, wait a random moment first, and leave out what others have answered by then. */
  #answer({ first, last }: Question): void {
    for (const [seq, text] of this.#held) {
      if (first <= seq && seq <= last) this.#say({ seq, text });
    }
  }

  /** What cannot be said now is no help later. */
  #say(words: Question | Answer): void {
    this.#help.publish(JSON.stringify(words)).catch(() => {});
  }

  #recover({ seq, text }: Answer): void {
    if (!this.#missing.delete(seq)) return;
    this.#hold(seq, text);
    this.#listener.recovered(seq, text);
  }

  /** The channel had ended, and another of its name counts from 1: the old numbers mean nothing any more. */
  #beginAnew(): void {
    this.#held.clear();
    this.#missing.clear();
  }
}

/** Lets go of the oldest past the bound. */
function trim(kept: Map<number, string> | Set<number>): void {
  for (const seq of kept.keys()) {
    if (kept.size <= MAX_HELD) return;
    kept.delete(seq);
  }
}
// #endregion

/** Nobody listens there. */
const NOWHERE = 'ws://127.0.0.1:9';

const key = ChannelKey.random();
const bobHears = new EventEmitter();
const hears = (text: string): Promise<unknown> => once(bobHears, text);

/** Bob's network, which can be out. His SDK tries again until it is back. */
const network: { isOut: boolean; socket?: WebSocket } = { isOut: false };
const bob = await connect(relayUrl, {
  ...options,
  backoff: { maxMs: 200 },
  socket: (url, protocol) => {
    network.socket = new WebSocket(network.isOut ? NOWHERE : url, protocol, { ca });
    return network.socket;
  },
});
await Room.join(bob, key, {
  message(seq, text) {
    console.log(`bob hears ${seq}: ${text}`);
    bobHears.emit(text);
  },
  lost(first, last) {
    console.log(`bob has lost ${first} to ${last}`);
  },
  recovered(seq, text) {
    console.log(`bob recovers ${seq}: ${text}`);
    bobHears.emit(text);
  },
});

const silent: Listener = { message: () => {}, lost: () => {}, recovered: () => {} };
const [alice, carol] = [await connect(relayUrl, options), await connect(relayUrl, options)];
const room = await Room.join(alice, key, silent);
await Room.join(carol, key, silent);

const first = hears('one');
await room.say('one');
await first;

network.isOut = true;
network.socket?.terminate();
const lost = Promise.all(['two', 'three', 'four'].map(hears));
for (const text of ['two', 'three', 'four']) await room.say(text);
await alice.flush(); // the relay has given them their numbers
network.isOut = false;
await lost;

const last = hears('five');
await room.say('five');
await last;
for (const relay of [alice, bob, carol]) relay.close();

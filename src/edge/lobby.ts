import { type HttpResponse, type TemplatedApp, type us_socket_context_t, watchSockets } from './uws.ts';

/** Where WebSockets live: an app, and what uWebSockets.js calls its context. */
export interface Hall {
  readonly app: TemplatedApp;
  readonly context: us_socket_context_t;
}

/** Who decides on the sockets of a lobby, and counts them. */
export interface Usher {
  /** Whether a socket that was accepted may stay; it is counted then. */
  enter(response: HttpResponse): boolean;
  /** One that stayed is gone, or is a WebSocket now. */
  leave(): void;
  /** One that stayed had to go. */
  sendAway(): void;
  /** Whether so many are here that those who stay longest must go. */
  isCrowded(): boolean;
}

/** When it is crowded a socket has at least this long: a handshake takes less, a squatter stays. */
const STAY_MS = 1000;

/**
 * The door for one certificate. uWebSockets.js cannot say which of the sockets that have not sent a request yet is which, so it is not
 * possible to end the oldest. But one app can be closed whole, with all the sockets it has. So there are three that serve alike: the hall,
 * which keeps all WebSockets, whichever app they came to, and two rooms for those who are not there yet. When it is crowded, newcomers go
 * to the other room, and after a moment the one before is cleared.
 */
export class Lobby {
  readonly #usher: Usher;
  readonly #rooms: readonly TemplatedApp[];
  readonly #serve: (app: TemplatedApp) => void;
  #serving: TemplatedApp;
  #hall: Hall | null = null;
  /** The room that newcomers do not come to any more, and since when. */
  #left: { readonly room: TemplatedApp; readonly atMs: number } | null = null;
  #isRetired = false;
  /** Whether a socket that ends now is one that we end. */
  #ending: 'refused' | 'cleared' | null = null;

  /** `make` makes an app with all its routes; `serve` lets another one serve what is accepted from now on. */
  constructor(usher: Usher, make: (lobby: Lobby) => TemplatedApp, serve: (app: TemplatedApp) => void) {
    this.#usher = usher;
    const first = make(this);
    this.#serving = first;
    this.#rooms = [first, make(this), make(this)];
    this.#serve = serve;
    for (const room of this.#rooms) {
      watchSockets(
        room,
        (response) => this.#enter(response),
        () => this.#ended(),
      );
    }
  }

  /** The app that is to serve what is accepted. */
  get serving(): TemplatedApp {
    return this.#serving;
  }

  /** The hall: the first app that is asked for a WebSocket becomes it, and is no room any more. */
  hallFor(app: TemplatedApp, context: us_socket_context_t): Hall {
    this.#hall ??= { app, context };
    if (this.#serving === this.#hall.app) this.#turn();
    return this.#hall;
  }

  /** A socket of this lobby is a WebSocket from now on. */
  upgraded(): void {
    this.#usher.leave();
  }

  /** Clears what has been left for long enough, and leaves a room that is crowded. To be called several times a second. */
  review(nowMs: number): void {
    if (this.#left !== null) {
      if (nowMs - this.#left.atMs < STAY_MS) return;
      if (this.#left.room !== this.#hall?.app) this.#clear(this.#left.room);
      this.#left = null;
    } else if (this.#usher.isCrowded() && !this.#isRetired) {
      this.#left = { room: this.#serving, atMs: nowMs };
      this.#turn();
    }
  }

  /** Another lobby serves from now on; who is here may stay. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Ends every socket. */
  close(): void {
    for (const room of this.#rooms) room.close();
  }

  #turn(): void {
    const next = this.#rooms.find((room) => ![this.#serving, this.#hall?.app, this.#left?.room].includes(room));
    if (next === undefined || this.#isRetired) return;
    this.#serving = next;
    this.#serve(next);
  }

  #enter(response: HttpResponse): void {
    if (this.#usher.enter(response)) return;
    this.#ending = 'refused';
    response.close();
    this.#ending = null;
  }

  #clear(room: TemplatedApp): void {
    this.#ending = 'cleared';
    room.close();
    this.#ending = null;
  }

  #ended(): void {
    if (this.#ending === 'cleared') this.#usher.sendAway();
    else if (this.#ending === null) this.#usher.leave();
  }
}

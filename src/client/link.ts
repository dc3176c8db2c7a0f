import { type ClientFrame, FrameType, type RelayFrame, type WelcomeInfo } from '../protocol/frames.ts';
import { nowMs } from './clock.ts';
import { asMayflyError, closeError, MayflyError, notConnected } from './errors.ts';
import { Outgoing } from './outgoing.ts';
import { delay, within } from './patience.ts';
import { framesOf, refOf, unreadable } from './received.ts';
import { OPEN, type SocketLike, shut } from './socket.ts';
import { encodeRequest } from './wire.ts';

/** What a link tells its owner. */
export interface LinkEvents {
  /** The relay said WELCOME; called before any frame behind it. */
  opened(link: Link): void;
  /** Every frame that no request waits for. */
  frame(frame: RelayFrame, link: Link): void;
  /** The connection is doubted from now on, or no more. */
  checking(isChecking: boolean, link: Link): void;
  /** The connection is over. */
  closed(error: MayflyError, link: Link): void;
}

/** What WELCOME said, and how long silence may last. */
export interface Welcomed {
  readonly sender: number;
  readonly info: WelcomeInfo;
  readonly keepAliveMs: number;
}

/** Who waits for an answer: its type, and what to do with it. */
interface Asking {
  readonly type: number;
  readonly resolve: (frame: RelayFrame) => void;
  readonly reject: (error: MayflyError) => void;
}

/** How long an answer may take when there are signs that the network is another one. */
const PROBE_MS = 3500;
/** How long those who wait for answers may still get them on a connection that is left. */
const LEAVE_MS = 1000;
/** A batch of frames leaves as one WebSocket message of at most this many bytes. */
const BATCH_BYTES = 60_000;
/** The least that a relay can be set to. */
const MIN_BUFFERED_BYTES = 65_536;
/** HEADs come with the first or the second such turn. */
const CAUGHT_UP_TURNS = 2;
const CAUGHT_UP_MS = 500;

/** One WebSocket from WELCOME to close: frames out in batches, answers matched to requests, silence noticed. */
export class Link {
  /** The KIDs under which frames were sealed for it. */
  readonly kids = new Set<bigint>();
  readonly sender: number;
  readonly info: WelcomeInfo;
  readonly openedAtMs = nowMs();
  readonly #socket: SocketLike;
  readonly #events: LinkEvents;
  readonly #outgoing: Outgoing;
  readonly #asking = new Map<number, Asking>();
  readonly #over = new AbortController();
  readonly #keepAlive: ReturnType<typeof setInterval>;
  #ref = 0;
  /** Frames sent that the relay may refuse: what it says of more than these, it makes up. HELLO is one. */
  #refusableCount = 1;
  #isClosing = false;
  #hasEnded = false;
  #probe: ReturnType<typeof setTimeout> | undefined;
  #wasHeard = true;
  /** Bytes received so far. */
  #heardBytes = 0;
  /** Bytes that waited to be sent at the latest check. */
  #waitingBytes = 0;

  constructor(socket: SocketLike, { sender, info, keepAliveMs }: Welcomed, events: LinkEvents) {
    this.#socket = socket;
    this.sender = sender;
    this.info = info;
    this.#events = events;
    this.#outgoing = new Outgoing(socket, BATCH_BYTES, (error) => this.end(asMayflyError(error)));
    this.#keepAlive = setInterval(() => this.#checkSilence(), keepAliveMs);
    socket.onmessage = ({ data }: { data: ArrayBuffer | string }) => this.receive(data);
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#end(closeError(code, reason));
  }

  get isOpen(): boolean {
    return !this.#over.signal.aborted && this.#socket.readyState === OPEN;
  }

  /** Aborted once the link is over, or left. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Sends a frame, together with all others of this tick. Resolves and rejects as `Outgoing.send`. */
  send(frame: Uint8Array | Promise<Uint8Array>): Promise<void> {
    this.#refusableCount++;
    return this.#outgoing.send(frame);
  }

  /**
   * Sends a request and resolves with the frame of type `answer` that answers it. Rejects with the relay's ERROR as a MayflyError, or with
   * `not_connected`. `onAnswer` sees the answer at once, before any frame behind it.
   */
  request<Type extends RelayFrame[0]>(
    make: (ref: number) => ClientFrame,
    answer: Type,
    onAnswer: (frame: Extract<RelayFrame, { 0: Type }>) => void = () => {},
  ): Promise<void> {
    const ref = this.#nextRef();
    return new Promise((resolve, reject) => {
      if (this.#over.signal.aborted) {
        reject(notConnected());
        return;
      }
      const take = (frame: RelayFrame): void => {
        try {
          onAnswer(frame as Extract<RelayFrame, { 0: Type }>); // `take` below looked at its type
          resolve();
        } catch (error) {
          reject(notConnected());
          throw error; // an answer that cannot be: the connection is given up
        }
      };
      this.#asking.set(ref, { type: answer, resolve: take, reject });
      this.send(encodeRequest(make(ref))).catch(() => {}); // the close will answer it
    });
  }

  /** Resolves when the relay has taken or refused all that was sent before; `onAnswer` is called at once then. */
  ping(onAnswer?: () => void): Promise<void> {
    return this.request((ref) => [FrameType.PING, ref], FrameType.PONG, onAnswer);
  }

  /**
   * Resolves when the relay has said of all it skipped so far how much that was. It says so, by HEAD, once no more than a quarter of
   * `maxBufferedBytes` waits for this connection: what came between a PING and its PONG is at least what waited when the relay read the PING.
   */
  async caughtUp(): Promise<void> {
    const fewBytes = Math.max(MIN_BUFFERED_BYTES, this.info.limits.maxBufferedBytes ?? 0) / 4;
    for (let turn = 0; turn < CAUGHT_UP_TURNS; turn++) {
      const before = this.#heardBytes;
      await this.ping();
      if (this.#heardBytes - before >= fewBytes) turn = -1;
      await delay(CAUGHT_UP_MS, this.over);
    }
    await this.ping();
  }

  /** Takes a WebSocket message. One that cannot be read ends the connection. */
  receive(data: ArrayBuffer | string): void {
    this.#wasHeard = true;
    this.#heardBytes += typeof data === 'string' ? 0 : data.byteLength;
    try {
      for (const frame of framesOf(data)) this.take(frame);
    } catch (error) {
      this.end(unreadable(error));
    }
  }

  /**
   * Takes one frame, as an answer or for the owner. An answer that nobody asked for, or to a frame that was never sent, goes nowhere. Throws
   * a TypeError for an answer to something else than was asked.
   */
  take(frame: RelayFrame): void {
    const ref = refOf(frame);
    if (ref === null) {
      if (frame[0] !== FrameType.ERROR || this.#refusableCount-- > 0) this.#events.frame(frame, this);
      return;
    }
    const asking = this.#asking.get(ref);
    if (asking === undefined) return;
    this.#asking.delete(ref);
    if (frame[0] === FrameType.ERROR) asking.reject(errorOf(frame));
    else if (frame[0] === asking.type) asking.resolve(frame);
    else {
      asking.reject(notConnected());
      throw new TypeError('an answer to another question');
    }
  }

  /** Sends what was given, then closes; at once when none of it moves any more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#outgoing.drained();
    shut(this.#socket);
  }

  /** Closes once those who wait for a PONG have it; whatever else was asked is void, and from now on it is over for everybody else. */
  async leave(): Promise<void> {
    for (const [ref, { type, reject }] of this.#asking) {
      if (type === FrameType.PONG) continue;
      this.#asking.delete(ref);
      reject(notConnected());
    }
    const answered = this.request((ref) => [FrameType.PING, ref], FrameType.PONG);
    this.#over.abort();
    await within(answered, { timeoutMs: LEAVE_MS }, notConnected).catch(() => {});
    await this.close();
  }

  /**
   * Asks for a sign of life now, since the network may be another one: without an answer within seconds it is over. What is sent meanwhile
   * waits for that.
   */
  probe(): void {
    if (this.#over.signal.aborted || this.#probe !== undefined) return;
    const trust = (): void => this.#trust();
    const ref = this.#nextRef();
    this.#asking.set(ref, { type: FrameType.PONG, resolve: trust, reject: trust });
    this.#outgoing.hold();
    this.#look();
    this.#events.checking(true, this);
    if (this.isOpen) this.#outgoing.sendFirst(encodeRequest([FrameType.PING, ref]));
  }

  /** Takes the connection for over, whatever the other side does. */
  end(error: MayflyError): void {
    this.#socket.onclose = () => {};
    this.#socket.onmessage = () => {};
    shut(this.#socket);
    this.#end(error);
  }

  #end(error: MayflyError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#over.abort();
    clearInterval(this.#keepAlive);
    clearTimeout(this.#probe);
    this.#outgoing.end();
    for (const { reject } of this.#asking.values()) reject(notConnected());
    this.#asking.clear();
    this.#events.closed(error, this);
  }

  /** After a silent period asks for a sign of life, and after another gives up: a broken network does not always say so. */
  #checkSilence(): void {
    if (this.#probe !== undefined) return;
    if (!this.#isOfUse) {
      setTimeout(() => this.#giveUp()); // what has arrived while this program was busy or asleep comes first
      return;
    }
    this.#wasHeard = false;
    this.#waitingBytes = this.#socket.bufferedAmount;
    this.request((ref) => [FrameType.PING, ref], FrameType.PONG).catch(() => {});
  }

  /** Waits for a sign of life, and again as long as something moves. */
  #look(): void {
    this.#wasHeard = false;
    this.#waitingBytes = this.#socket.bufferedAmount;
    const late = (): void => {
      this.#giveUp();
      if (!this.#hasEnded) this.#look();
    };
    this.#probe = setTimeout(() => {
      this.#probe = setTimeout(late);
    }, PROBE_MS);
  }

  #trust(): void {
    if (this.#hasEnded) return;
    clearTimeout(this.#probe);
    this.#probe = undefined;
    this.#outgoing.release();
    this.#events.checking(false, this);
  }

  #nextRef(): number {
    this.#ref = (this.#ref + 1) >>> 0;
    return this.#ref;
  }

  /** Whether what is heard says that the connection is still of use: not when all that is left to do is to send. */
  get #isOfUse(): boolean {
    return this.#wasHeard && !this.#isClosing;
  }

  #giveUp(): void {
    const isSending = this.#socket.bufferedAmount !== this.#waitingBytes;
    this.#waitingBytes = this.#socket.bufferedAmount;
    if (this.#isOfUse || isSending || this.#hasEnded) return; // on a slow network the PING is still on its way out
    this.end(new MayflyError('connection_failed', 'nothing was heard of the relay'));
  }
}

/** The error an ERROR frame stands for. */
export function errorOf([, , status, code, detail]: Extract<RelayFrame, { 0: typeof FrameType.ERROR }>): MayflyError {
  return new MayflyError(code, detail, { status });
}

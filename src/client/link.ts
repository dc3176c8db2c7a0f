import { type ClientFrame, FrameType, type RelayFrame, type WelcomeInfo } from '../protocol/frames.ts';
import { nowMs } from './clock.ts';
import { closeError, MayflyError, notConnected } from './errors.ts';
import { Outgoing } from './outgoing.ts';
import { OPEN, type SocketLike } from './socket.ts';
import { encodeRequest, readFrames } from './wire.ts';

/** What a link tells its owner. */
export interface LinkEvents {
  /** Every frame that no request waits for. */
  frame(frame: RelayFrame, link: Link): void;
  /** The connection is over. */
  closed(error: MayflyError): void;
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

/** A batch of frames leaves as one WebSocket message of at most this many bytes. */
const BATCH_BYTES = 60_000;

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
  #wasHeard = true;
  /** Bytes that waited to be sent at the latest check. */
  #waitingBytes = 0;

  constructor(socket: SocketLike, { sender, info, keepAliveMs }: Welcomed, events: LinkEvents) {
    this.#socket = socket;
    this.sender = sender;
    this.info = info;
    this.#events = events;
    this.#outgoing = new Outgoing(socket, BATCH_BYTES);
    this.#keepAlive = setInterval(() => this.#checkSilence(), keepAliveMs);
    socket.onmessage = ({ data }: { data: ArrayBuffer | string }) => this.receive(data);
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#end(closeError(code, reason));
  }

  get isOpen(): boolean {
    return !this.#over.signal.aborted && this.#socket.readyState === OPEN;
  }

  /** Aborted once the link is over. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Sends a frame, together with all others of this tick. Resolves and rejects as `Outgoing.send`. */
  send(frame: Uint8Array | Promise<Uint8Array>): Promise<void> {
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
    this.#ref = (this.#ref + 1) >>> 0;
    const ref = this.#ref;
    return new Promise((resolve, reject) => {
      if (this.#over.signal.aborted) {
        reject(notConnected());
        return;
      }
      const take = (frame: RelayFrame): void => {
        onAnswer(frame as Extract<RelayFrame, { 0: Type }>); // `take` below looked at its type
        resolve();
      };
      this.#asking.set(ref, { type: answer, resolve: take, reject });
      this.send(encodeRequest(make(ref))).catch(() => {}); // the close will answer it
    });
  }

  /** Takes a WebSocket message. One that cannot be read ends the connection. */
  receive(data: ArrayBuffer | string): void {
    this.#wasHeard = true;
    try {
      for (const frame of framesOf(data)) this.take(frame);
    } catch (error) {
      this.end(unreadable(error));
    }
  }

  /** Takes one frame, as an answer or for the owner. Throws a TypeError for an answer to something else than was asked. */
  take(frame: RelayFrame): void {
    const ref = refOf(frame);
    const asking = ref === null ? undefined : this.#asking.get(ref);
    if (ref === null || asking === undefined) {
      this.#events.frame(frame, this);
      return;
    }
    this.#asking.delete(ref);
    if (frame[0] === FrameType.ERROR) asking.reject(errorOf(frame));
    else if (frame[0] === asking.type) asking.resolve(frame);
    else {
      asking.reject(notConnected());
      throw new TypeError('an answer to another question');
    }
  }

  /** Sends what was given, then closes. */
  async close(): Promise<void> {
    await this.#outgoing.drained();
    this.#socket.close(1000);
  }

  /** Takes the connection for over, whatever the other side does. */
  end(error: MayflyError): void {
    this.#socket.onclose = () => {};
    this.#socket.onmessage = () => {};
    this.#socket.close();
    this.#end(error);
  }

  #end(error: MayflyError): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort();
    clearInterval(this.#keepAlive);
    for (const { reject } of this.#asking.values()) reject(notConnected());
    this.#asking.clear();
    this.#events.closed(error);
  }

  /** After a silent period asks for a sign of life, and after another gives up: a broken network does not always say so. */
  #checkSilence(): void {
    if (!this.#wasHeard) {
      setTimeout(() => this.#giveUp()); // what has arrived while this program was busy or asleep comes first
      return;
    }
    this.#wasHeard = false;
    this.#waitingBytes = this.#socket.bufferedAmount;
    this.request((ref) => [FrameType.PING, ref], FrameType.PONG).catch(() => {});
  }

  #giveUp(): void {
    const isSending = this.#socket.bufferedAmount !== this.#waitingBytes;
    this.#waitingBytes = this.#socket.bufferedAmount;
    if (this.#wasHeard || isSending || this.#over.signal.aborted) return; // on a slow network the PING is still on its way out
    this.end(new MayflyError('connection_failed', 'nothing was heard of the relay'));
  }
}

/** The frames of a WebSocket message. Throws a TypeError where they are none. */
export function framesOf(data: ArrayBuffer | string): Iterable<RelayFrame> {
  if (typeof data === 'string') throw new TypeError('text in place of binary');
  return readFrames(new Uint8Array(data));
}

/** The error for a message that cannot be read; the TypeError that says why is its cause. Other errors are the SDK's own, and thrown on. */
export function unreadable(error: unknown): MayflyError {
  if (!(error instanceof TypeError)) throw error;
  return new MayflyError('protocol_error', 'the relay sent what cannot be read', { cause: error });
}

/** The error an ERROR frame stands for. */
export function errorOf([, , status, code, detail]: Extract<RelayFrame, { 0: typeof FrameType.ERROR }>): MayflyError {
  return new MayflyError(code, detail, { status });
}

function refOf(frame: RelayFrame): number | null {
  switch (frame[0]) {
    case FrameType.ATTACHED:
    case FrameType.DETACHED:
    case FrameType.RENEWED:
    case FrameType.PONG:
    case FrameType.ERROR:
      return frame[1];
    default:
      return null;
  }
}

import { type ClientFrame, FrameType, type RelayFrame, type WelcomeInfo } from '../protocol/frames.ts';
import { closeError, MayflyError } from './errors.ts';
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

type Answer = (frame: RelayFrame) => void;

/** A batch of frames leaves as one WebSocket message of at most this many bytes. */
const BATCH_BYTES = 60_000;

const LOST: RelayFrame = [FrameType.ERROR, null, 0, 'not_connected', 'the connection was lost', null];

/** One WebSocket from WELCOME to close: frames out in batches, answers matched to requests, silence noticed. */
export class Link {
  readonly sender: number;
  readonly info: WelcomeInfo;
  readonly openedAtMs = Date.now();
  readonly #socket: SocketLike;
  readonly #events: LinkEvents;
  readonly #outgoing: Outgoing;
  readonly #answers = new Map<number, Answer>();
  readonly #keepAlive: ReturnType<typeof setInterval>;
  #ref = 0;
  #wasHeard = true;
  #isOver = false;

  constructor(socket: SocketLike, { sender, info, keepAliveMs }: Welcomed, events: LinkEvents) {
    this.#socket = socket;
    this.sender = sender;
    this.info = info;
    this.#events = events;
    this.#outgoing = new Outgoing(socket, BATCH_BYTES);
    this.#keepAlive = setInterval(() => this.#checkSilence(), keepAliveMs);
    socket.onmessage = ({ data }: { data: ArrayBuffer | string }) => this.receive(data);
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => this.#over(closeError(code, reason));
  }

  get isOpen(): boolean {
    return !this.#isOver && this.#socket.readyState === OPEN;
  }

  /** Sends a frame, together with all others of this tick. Resolves and rejects as `Outgoing.send`. */
  send(frame: Uint8Array | Promise<Uint8Array>): Promise<void> {
    return this.#outgoing.send(frame);
  }

  /**
   * Sends a request and resolves with the frame that answers it. Rejects with the relay's ERROR as a MayflyError. `onAnswer` sees the
   * answer at once, before any frame behind it.
   */
  request(make: (ref: number) => ClientFrame, onAnswer?: (frame: RelayFrame) => void): Promise<RelayFrame> {
    this.#ref = (this.#ref + 1) >>> 0;
    const ref = this.#ref;
    return new Promise((resolve, reject) => {
      const answer: Answer = (frame) => {
        if (frame[0] === FrameType.ERROR) reject(errorOf(frame));
        else {
          onAnswer?.(frame);
          resolve(frame);
        }
      };
      if (this.#isOver) {
        answer(LOST);
        return;
      }
      this.#answers.set(ref, answer);
      this.send(encodeRequest(make(ref))).catch(() => {}); // the close will answer it
    });
  }

  /** Takes a WebSocket message. One that cannot be read ends the connection. */
  receive(data: ArrayBuffer | string): void {
    this.#wasHeard = true;
    const frames = readMessage(data);
    if (frames instanceof MayflyError) {
      this.end(frames);
      return;
    }
    for (const frame of frames) this.take(frame);
  }

  /** Takes one frame, as an answer or for the owner. */
  take(frame: RelayFrame): void {
    const ref = refOf(frame);
    const answer = ref === null ? undefined : this.#answers.get(ref);
    if (ref === null || answer === undefined) {
      this.#events.frame(frame, this);
      return;
    }
    this.#answers.delete(ref);
    answer(frame);
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
    this.#over(error);
  }

  #over(error: MayflyError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearInterval(this.#keepAlive);
    for (const answer of this.#answers.values()) answer(LOST);
    this.#answers.clear();
    this.#events.closed(error);
  }

  /** After a silent period asks for a sign of life, and after another gives up: a broken network does not always say so. */
  #checkSilence(): void {
    if (!this.#wasHeard) {
      setTimeout(() => this.#giveUp()); // what has arrived while this program was busy or asleep comes first
      return;
    }
    this.#wasHeard = false;
    this.request((ref) => [FrameType.PING, ref]).catch(() => {});
  }

  #giveUp(): void {
    if (!this.#wasHeard && !this.#isOver)
      this.end(new MayflyError('connection_failed', 'nothing was heard of the relay'));
  }
}

/** The frames of a WebSocket message, or why they are none. */
export function readMessage(data: ArrayBuffer | string): RelayFrame[] | MayflyError {
  try {
    if (typeof data === 'string') throw new TypeError('text in place of binary');
    return readFrames(new Uint8Array(data));
  } catch (cause) {
    return new MayflyError('protocol_error', 'the relay sent what cannot be read', { cause });
  }
}

/** The error an ERROR frame stands for. */
export function errorOf([, , status, code, detail]: Extract<RelayFrame, { 0: typeof FrameType.ERROR }>): MayflyError {
  return new MayflyError(code, detail, status === 0 ? {} : { status });
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

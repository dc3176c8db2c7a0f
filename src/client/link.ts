import {
  type ClientFrame,
  FrameType,
  type RelayFrame,
  SUBPROTOCOL,
  VERSION,
  type WelcomeInfo,
} from '../protocol/frames.ts';
import { concat } from './bytes.ts';
import { MayflyError } from './errors.ts';
import { encodeRequest, readFrames } from './wire.ts';

/** The part of the WebSocket interface the SDK uses; browsers' and that of the `ws` package both fit. */
export interface SocketLike {
  binaryType: string;
  send(data: Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
}

/** Opens a WebSocket. */
export type SocketFactory = (url: string, protocol: string) => SocketLike;

/** What a link tells its owner. */
export interface LinkEvents {
  /** Every frame after WELCOME that no request waits for. */
  frame(frame: RelayFrame): void;
  /** The connection is over; `code` is the close code. */
  closed(code: number, reason: string): void;
}

/** A batch of frames leaves as one WebSocket message of at most this many bytes. */
const BATCH_BYTES = 60_000;

type Answer = (frame: RelayFrame) => void;

/** One WebSocket from HELLO to close: frames out in batches, answers matched to requests. */
export class Link {
  readonly sender: number;
  readonly info: WelcomeInfo;
  readonly #socket: SocketLike;
  readonly #answers = new Map<number, Answer>();
  #outgoing: Uint8Array[] = [];
  #outgoingBytes = 0;
  #ref = 0;
  #isOpen = true;

  private constructor(socket: SocketLike, sender: number, info: WelcomeInfo) {
    this.#socket = socket;
    this.sender = sender;
    this.info = info;
  }

  /** Connects and says HELLO. Rejects with a MayflyError that has the relay's code, or `connection_failed` with the close code in its text. */
  static open(
    factory: SocketFactory,
    url: string,
    token: string,
    events: LinkEvents,
    signal?: AbortSignal,
  ): Promise<Link> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(new MayflyError('aborted', 'connecting was aborted', { cause: signal.reason }));
        return;
      }
      const socket = factory(url, SUBPROTOCOL);
      let link: Link | undefined;
      let refusal: MayflyError | undefined;
      socket.binaryType = 'arraybuffer';
      const abort = (): void => {
        reject(new MayflyError('aborted', 'connecting was aborted', { cause: signal?.reason }));
        socket.close();
      };
      signal?.addEventListener('abort', abort, { once: true });
      socket.onopen = () => socket.send(encodeRequest([FrameType.HELLO, VERSION, token]));
      socket.onerror = () => {};
      socket.onmessage = ({ data }: { data: ArrayBuffer }) => {
        for (const frame of readFrames(new Uint8Array(data))) {
          if (link !== undefined) link.#receive(frame, events);
          else if (frame[0] === FrameType.WELCOME) {
            link = new Link(socket, frame[1], frame[2]);
            signal?.removeEventListener('abort', abort);
            resolve(link);
          } else if (frame[0] === FrameType.ERROR) refusal = errorOf(frame);
        }
      };
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
        signal?.removeEventListener('abort', abort);
        if (link === undefined) {
          const {
            code: why,
            message,
            status,
          } = refusal ?? { code: 'connection_failed', message: `no connection (${code})`, status: 0 };
          reject(new MayflyError(why, message, { closeCode: code, ...(status ? { status } : {}) }));
          return;
        }
        link.#isOpen = false;
        for (const answer of link.#answers.values())
          answer([FrameType.ERROR, null, 0, 'not_connected', 'the connection was lost', null]);
        link.#answers.clear();
        events.closed(code, reason);
      };
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Sends a frame, together with all others of this tick. */
  send(frame: Uint8Array): void {
    if (this.#outgoingBytes + frame.length > BATCH_BYTES) this.#flush();
    if (this.#outgoing.length === 0) queueMicrotask(() => this.#flush());
    this.#outgoing.push(frame);
    this.#outgoingBytes += frame.length;
  }

  /**
   * Sends a request and resolves with the frame that answers it. Rejects with the relay's ERROR as a MayflyError. `onAnswer` sees the
   * answer at once, before any frame behind it.
   */
  request(make: (ref: number) => ClientFrame, onAnswer?: (frame: RelayFrame) => void): Promise<RelayFrame> {
    this.#ref = (this.#ref + 1) >>> 0;
    const ref = this.#ref;
    return new Promise((resolve, reject) => {
      if (!this.#isOpen) {
        reject(new MayflyError('not_connected', 'there is no connection'));
        return;
      }
      this.#answers.set(ref, (frame) => {
        onAnswer?.(frame);
        if (frame[0] === FrameType.ERROR) reject(errorOf(frame));
        else resolve(frame);
      });
      this.send(encodeRequest(make(ref)));
    });
  }

  close(code = 1000): void {
    this.#flush();
    this.#socket.close(code);
  }

  #receive(frame: RelayFrame, events: LinkEvents): void {
    const ref = refOf(frame);
    const answer = ref === null ? undefined : this.#answers.get(ref);
    if (ref === null || answer === undefined) {
      events.frame(frame);
      return;
    }
    this.#answers.delete(ref);
    answer(frame);
  }

  #flush(): void {
    if (this.#outgoing.length === 0) return;
    const batch = concat(...this.#outgoing);
    this.#outgoing = [];
    this.#outgoingBytes = 0;
    if (this.#isOpen) this.#socket.send(batch);
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

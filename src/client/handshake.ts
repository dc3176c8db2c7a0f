import { FrameType, type RelayFrame, SUBPROTOCOL, VERSION } from '../protocol/frames.ts';
import { abortError, asMayflyError, closeError, MayflyError, NO_CLOSE_CODE } from './errors.ts';
import { errorOf, Link, type LinkEvents } from './link.ts';
import { hearPolicy } from './policy.ts';
import { framesOf, unreadable } from './received.ts';
import { OPEN, type SocketFactory, shut } from './socket.ts';
import { encodeRequest } from './wire.ts';

/** How to open a link. */
export interface Opening {
  readonly url: string;
  readonly token: string;
  readonly socket: SocketFactory;
  /** Longest time to WELCOME. */
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly signal: AbortSignal;
}

const FORBIDDEN = "the page's Content-Security-Policy (connect-src) forbids";
/** After an error a close follows at once, which says more; but not everywhere. */
const CLOSE_GRACE_MS = 100;

/**
 * Opens a WebSocket and says HELLO. Rejects with a MayflyError: the relay's code, `connection_failed`, `protocol_error` or `aborted`, with
 * the close code where there was one; or with what the socket's constructor threw.
 */
export function openLink(opening: Opening, events: LinkEvents): Promise<Link> {
  const { url, token, signal, keepAliveMs, connectTimeoutMs } = opening;
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw abortError(signal);
    const socket = opening.socket(url, SUBPROTOCOL);
    let refused: MayflyError | undefined;
    let cause: unknown;
    let isDone = false;
    let link: Link | undefined;

    const done = (): void => {
      isDone = true;
      clearTimeout(timer);
      stopHearing();
      signal.removeEventListener('abort', abort);
    };
    const fail = (error: MayflyError): void => {
      if (isDone) return;
      done();
      socket.onopen = socket.onmessage = socket.onclose = () => {};
      reject(error);
      shut(socket);
    };
    const abort = (): void => fail(abortError(signal));
    const forbid = (): void => fail(new MayflyError('connection_failed', `${FORBIDDEN} ${url}`));
    const stopHearing = hearPolicy(url, forbid);
    const take = (frame: RelayFrame): void => {
      if (link !== undefined) link.take(frame);
      else if (frame[0] === FrameType.ERROR) refused = errorOf(frame);
      else if (frame[0] === FrameType.WELCOME) {
        done();
        link = new Link(socket, { sender: frame[1], info: frame[2], keepAliveMs }, events);
        events.opened(link);
        resolve(link);
      }
    };

    const timer = setTimeout(() => {
      const what = socket.readyState === OPEN ? 'WELCOME' : 'connection';
      fail(new MayflyError('connection_failed', `no ${what} within ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    signal.addEventListener('abort', abort);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      try {
        socket.send(encodeRequest([FrameType.HELLO, VERSION, token]));
      } catch (error) {
        fail(asMayflyError(error));
      }
    };
    socket.onerror = ({ error }: { error?: unknown }) => {
      cause ??= error; // browsers do not say more
      if (!isDone) setTimeout(() => fail(closeError(NO_CLOSE_CODE, '', cause)), CLOSE_GRACE_MS);
    };
    socket.onmessage = ({ data }: { data: ArrayBuffer | string }) => {
      try {
        for (const frame of framesOf(data)) take(frame);
      } catch (error) {
        if (link === undefined) fail(unreadable(error));
        else link.end(unreadable(error));
      }
    };
    socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
      const { status } = refused ?? {};
      fail(
        refused === undefined
          ? closeError(code, reason, cause)
          : new MayflyError(refused.code, refused.message, {
              closeCode: code,
              ...(status === undefined ? {} : { status }),
            }),
      );
    };
  });
}

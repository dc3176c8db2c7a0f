import { FrameType, type RelayFrame, SUBPROTOCOL, VERSION } from '../protocol/frames.ts';
import { abortError, closeError, MayflyError } from './errors.ts';
import { errorOf, framesOf, Link, type LinkEvents, unreadable } from './link.ts';
import type { SocketFactory } from './socket.ts';
import { encodeRequest } from './wire.ts';

/** How to open a link. */
export interface Opening {
  readonly url: string;
  readonly token: string;
  readonly socket: SocketFactory;
  /** Longest time to WELCOME. */
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a WebSocket and says HELLO. Rejects with a MayflyError: the relay's code, `connection_failed`, `protocol_error` or `aborted`, with
 * the close code where there was one.
 */
export function openLink(opening: Opening, events: LinkEvents): Promise<Link> {
  const { url, token, signal, keepAliveMs, connectTimeoutMs } = opening;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) throw abortError(signal);
    const socket = opening.socket(url, SUBPROTOCOL);
    let refused: MayflyError | undefined;
    let cause: unknown;

    const done = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket.onmessage = socket.onclose = () => {};
    };
    const fail = (error: MayflyError): void => {
      done();
      reject(error);
      socket.close();
    };
    const abort = (): void => fail(abortError(signal as AbortSignal)); // listened to only where there is one
    const timer = setTimeout(
      () => fail(new MayflyError('connection_failed', `no WELCOME within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    let link: Link | undefined;
    const take = (frame: RelayFrame): void => {
      if (link !== undefined) link.take(frame);
      else if (frame[0] === FrameType.ERROR) refused = errorOf(frame);
      else if (frame[0] === FrameType.WELCOME) {
        done();
        link = new Link(socket, { sender: frame[1], info: frame[2], keepAliveMs }, events);
        resolve(link);
      }
    };

    signal?.addEventListener('abort', abort, { once: true });
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => socket.send(encodeRequest([FrameType.HELLO, VERSION, token]));
    socket.onerror = ({ error }: { error?: unknown }) => {
      cause = error; // a close follows; browsers do not say more
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

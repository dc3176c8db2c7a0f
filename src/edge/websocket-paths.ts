import type { UserData } from './peer.ts';
import type { TemplatedApp } from './uws.ts';

/** The second makes a relay's bare URL enough. */
const PATHS = ['/v1/ws', '/'];
const IDLE_TIMEOUT_SECONDS = 120;
/** Room above uWebSockets.js's own limit for what it adds after checking it: one message and one cork buffer. */
const CORK_BYTES = 32 * 1024;

/** What the WebSockets of an app may hold, in bytes. */
export interface WebSocketLimits {
  readonly maxMessageBytes: number;
  readonly maxFrameBytes: number;
  readonly maxBufferedBytes: number;
}

/** Serves WebSockets at their paths: `handlers` has the socket events and `upgrade`. */
export function addWebSockets(
  app: TemplatedApp,
  handlers: Parameters<typeof app.ws<UserData>>[1],
  { maxMessageBytes, maxFrameBytes, maxBufferedBytes }: WebSocketLimits,
): void {
  for (const path of PATHS) {
    app.ws<UserData>(path, {
      ...handlers,
      maxPayloadLength: maxMessageBytes,
      maxBackpressure: maxBufferedBytes - maxFrameBytes - CORK_BYTES,
      closeOnBackpressureLimit: false,
      compression: 0,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
    });
  }
}

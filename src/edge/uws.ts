import './uws-environment.ts';
import {
  App,
  SSLApp,
  type TemplatedApp,
  type us_listen_socket,
  us_listen_socket_close,
  type us_socket,
  us_socket_local_port,
} from 'uWebSockets.js';
import { RelayError } from '../errors.ts';

export type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';

/** uWebSockets.js shares a taken port by default; this makes it an error (LIBUS_LISTEN_EXCLUSIVE_PORT). */
const EXCLUSIVE_PORT = 1;
/** What `send` and `ping` return when the message was dropped because too much waits already. */
export const DROPPED = 2;

/** The port an app listens on, and how to stop accepting; open connections stay. */
export interface Listening {
  readonly port: number;
  close(): void;
}

/** An app that speaks TLS when files are given, TLS 1.2 and up. */
export function createApp(tls: { readonly certFile: string; readonly keyFile: string } | undefined): TemplatedApp {
  if (tls === undefined) return App();
  try {
    return SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile });
  } catch (error) {
    throw new RelayError('listen_failed', 'the certificate or key was refused by the TLS library', { cause: error });
  }
}

/** Starts accepting; port 0 picks a free one. Throws a RelayError when the port is taken or not ours to use. */
export function listen(app: TemplatedApp, host: string, port: number): Listening {
  const listening = tryListen(app, host, port);
  if (listening === undefined) {
    throw new RelayError('listen_failed', `cannot listen on ${host}:${port}: the port is taken, or not allowed`);
  }
  if (port !== 0) return listening;
  listening.close(); // uWebSockets.js sets SO_REUSEADDR on chosen ports only, and a reload must be able to listen again
  return listen(app, host, listening.port);
}

function tryListen(app: TemplatedApp, host: string, port: number): Listening | undefined {
  let listening: Listening | undefined;
  const exclusively = app as unknown as {
    listen(host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void): void;
  }; // the binary takes host and options together; its types do not say so
  exclusively.listen(host, port, EXCLUSIVE_PORT, (socket) => {
    if (socket === false) return;
    let isOpen = true;
    listening = {
      port: us_socket_local_port(socket as unknown as us_socket), // a listen socket is a socket
      close: () => {
        if (isOpen) us_listen_socket_close(socket);
        isOpen = false;
      },
    };
  });
  return listening;
}

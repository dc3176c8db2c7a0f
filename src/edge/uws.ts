import { App, SSLApp, type TemplatedApp, us_listen_socket_close, us_socket_local_port } from 'uWebSockets.js';
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

/** Starts accepting. Throws a RelayError when the port is taken or not ours to use. */
export function listen(app: TemplatedApp, host: string, port: number): Listening {
  let listening: Listening | undefined;
  const exclusively = app as unknown as {
    listen(
      host: string,
      port: number,
      options: number,
      done: (socket: Parameters<typeof us_listen_socket_close>[0] | false) => void,
    ): void;
  }; // the binary takes host and options together; its types do not say so
  exclusively.listen(host, port, EXCLUSIVE_PORT, (socket) => {
    if (socket === false) return;
    listening = {
      port: us_socket_local_port(socket as unknown as Parameters<typeof us_socket_local_port>[0]), // a listen socket is a socket
      close: () => us_listen_socket_close(socket),
    };
  });
  if (listening === undefined)
    throw new RelayError('listen_failed', `cannot listen on ${host}:${port}: the port is taken, or not allowed`);
  return listening;
}

import './uws-environment.ts';
import type { HttpResponse, TemplatedApp, us_listen_socket, us_socket } from 'uWebSockets.js';
import { createRequire } from 'node:module';
import { ConfigError, RelayError } from '../errors.ts';

export type { HttpRequest, HttpResponse, TemplatedApp, us_socket_context_t, WebSocket } from 'uWebSockets.js';

type Native = Pick<
  typeof import('uWebSockets.js'),
  'App' | 'SSLApp' | 'us_listen_socket_close' | 'us_socket_local_port'
>;

/** Builds of uWebSockets.js, newer first. The first that loads serves: what Node and C library they need is in the README. */
const BUILDS: readonly (() => Promise<Native>)[] = [
  async () => createRequire(import.meta.url)('uWebSockets.js') as Native, // Node 20 cannot catch what this one throws at import
  () => import('uws-pack'),
];
const SUPPORTED =
  'on Linux it takes glibc and Node 20 or 22, or glibc 2.38 or newer and Node 20, 22, 24 or 25; all commands but serve work everywhere';
const native = await firstThatLoads();

/** uWebSockets.js shares ports by default (SO_REUSEPORT); the second makes a taken one an error (LIBUS_LISTEN_EXCLUSIVE_PORT). */
const SHARED_PORT = 0;
const EXCLUSIVE_PORT = 1;
/** What `send` and `ping` return when the message was dropped because too much waits already. */
export const DROPPED = 2;

/** Where to listen; port 0 picks a free one. A shared port may be listened on by several processes that all share it. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly isShared: boolean;
}

/** The port an app listens on, and how to stop accepting; open connections stay. */
export interface Listening {
  readonly port: number;
  close(): void;
}

/** An app that speaks TLS when files are given, TLS 1.2 and up. Throws a ConfigError when they are refused, a RelayError where no build loads. */
export function createApp(tls: { readonly certFile: string; readonly keyFile: string } | undefined): TemplatedApp {
  const { App, SSLApp } = loaded();
  if (tls === undefined) return App();
  try {
    return SSLApp({ cert_file_name: tls.certFile, key_file_name: tls.keyFile });
  } catch (error) {
    const message = 'certificate or key were refused by the TLS library of the server';
    throw new ConfigError([{ path: 'listen.tls', message }], { cause: error });
  }
}

/** Starts accepting. Throws a RelayError when the port is taken or not ours to use. */
export function listen(app: TemplatedApp, address: Address): Listening {
  const listening = tryListen(app, address);
  if (listening === undefined) {
    const { host, port } = address;
    throw new RelayError('listen_failed', `cannot listen on ${host}:${port}: the port is taken, or not allowed`);
  }
  if (address.port !== 0) return listening;
  listening.close(); // uWebSockets.js sets its options on chosen ports only, and a successor must be able to listen there
  return listen(app, { ...address, port: listening.port });
}

function tryListen(app: TemplatedApp, { host, port, isShared }: Address): Listening | undefined {
  const { us_listen_socket_close, us_socket_local_port } = loaded();
  let listening: Listening | undefined;
  const withOptions = app as unknown as {
    listen(host: string, port: number, options: number, done: (socket: us_listen_socket | false) => void): void;
  }; // the binary takes host and options together; its types do not say so
  withOptions.listen(host, port, isShared ? SHARED_PORT : EXCLUSIVE_PORT, (socket) => {
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

/**
 * Tells of each socket that an app accepts, through an object that is good until its end or upgrade; and of each end of one that speaks HTTP,
 * but not of which.
 */
export function watchSockets(app: TemplatedApp, accepted: (response: HttpResponse) => void, ended: () => void): void {
  // 1 or -1, which the types call a Number
  const watch = (response: HttpResponse, change: unknown): void => {
    if (Number(change) > 0) accepted(response);
    else ended();
  };
  app.filter(watch);
}

/** Lets `to` serve what `from` accepts from now on. Both speak TLS: each handshake is done by `to`, with its certificate. */
export function passAccepted(from: TemplatedApp, to: TemplatedApp): void {
  passing(from).addChildAppDescriptor(passing(to).getDescriptor());
}

/** Lets `to` serve nothing more of what `from` accepts; what it has, it keeps. */
export function stopPassing(from: TemplatedApp, to: TemplatedApp): void {
  passing(from).removeChildAppDescriptor(passing(to).getDescriptor());
}

/** Methods the binary has for handing on accepted sockets; its types leave them out. */
interface Passing {
  getDescriptor(): number;
  addChildAppDescriptor(descriptor: number): void;
  removeChildAppDescriptor(descriptor: number): void;
}

function passing(app: TemplatedApp): Passing {
  return app as unknown as Passing; // as above
}

async function firstThatLoads(): Promise<Native | undefined> {
  for (const load of BUILDS) {
    try {
      return await load();
    } catch {} // another Node, another C library, or not installed: the next one
  }
  return undefined;
}

function loaded(): Native {
  if (native !== undefined) return native;
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  const libc =
    process.platform !== 'linux' ? '' : `, ${header.glibcVersionRuntime?.replace(/^/, 'glibc ') ?? 'no glibc'}`;
  const here = `Node ${process.versions.node} on ${process.platform} ${process.arch}${libc}`;
  throw new RelayError('server_unavailable', `no build of uWebSockets.js loads here (${here}): ${SUPPORTED}`);
}

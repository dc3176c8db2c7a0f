// One connection for each relay, shared by all components that use channels of it.
import { type ConnectOptions, connect, type Relay } from 'mayfly/client';

/** A relay and how to get tokens for it. Make it once, outside of components: it stands for its connection. */
export interface RelaySource extends ConnectOptions {
  readonly url: string;
}

/** A connection in use. */
export interface Connection {
  readonly relay: Promise<Relay>;
  /** Resolves when the latest component has attached its channel, or given up: they take turns. */
  turn: Promise<void>;
  userCount: number;
}

const connections = new Map<RelaySource, Connection>();

/** Borrows the connection to a relay, for `giveBack` later. The first component to ask opens it. */
export function borrow(source: RelaySource): Connection {
  const connection = connections.get(source) ?? open(source);
  connection.userCount++;
  return connection;
}

/** Gives a connection back. It closes unless another component has it, or the same one borrows it again in this tick, as StrictMode does. */
export function giveBack(source: RelaySource, connection: Connection): void {
  connection.userCount--;
  setTimeout(() => {
    if (connection.userCount > 0) return;
    forget(source, connection);
    connection.relay.then((relay) => relay.close()).catch(() => {});
  });
}

function open(source: RelaySource): Connection {
  const { url, ...options } = source;
  const relay = connect(url, options);
  const connection: Connection = { relay, turn: Promise.resolve(), userCount: 0 };
  connections.set(source, connection);
  relay.then((opened) => opened.on('closed', () => forget(source, connection))).catch(() => forget(source, connection)); // whoever borrowed it is told, and the next one tries anew
  return connection;
}

function forget(source: RelaySource, connection: Connection): void {
  if (connections.get(source) === connection) connections.delete(source);
}

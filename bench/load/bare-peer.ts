import { type BodySink, NO_SEQ, type Peer, type Role } from './peer.ts';
import { RawSocket } from './raw-socket.ts';

/** Joins a topic of the bare relay. */
export async function joinBare(url: string, topic: string, role: Role): Promise<Peer> {
  const socket = await RawSocket.open(url, `/${topic}${role.subscribes ? '' : '?publish'}`, 'bare');
  return new BarePeer(socket);
}

class BarePeer implements Peer {
  readonly prefix = new Uint8Array(0);
  onBody: BodySink = () => {};
  readonly socket: RawSocket;

  constructor(socket: RawSocket) {
    this.socket = socket;
    socket.onMessage = (bytes, start) => this.onBody(bytes, start, NO_SEQ, socket.readAtMs);
  }
}

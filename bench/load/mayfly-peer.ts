import {
  encodeFrame,
  FrameType,
  Mode,
  type RelayFrame,
  readRelayFrame,
  SUBPROTOCOL,
  VERSION,
} from '../../src/protocol/index.ts';
import { BODY_BYTES } from './body.ts';
import type { BodySink, Peer, Role } from './peer.ts';
import { RawSocket } from './raw-socket.ts';

const REF = 1;
const BODY = 24;
const FRAME_BYTES = BODY + BODY_BYTES;
const MESSAGE_HEAD = 0x9604;
const NIL_THEN_BIN8 = 0xc0c4;

/** Joins a channel of a Mayfly relay: HELLO, then ATTACH. */
export async function joinMayfly(url: string, token: string, channel: string, role: Role): Promise<MayflyPeer> {
  const peer = new MayflyPeer(await RawSocket.open(url, '/v1/ws', SUBPROTOCOL));
  await peer.join(token, channel, role);
  return peer;
}

/** A peer that reads MESSAGE by fixed offsets (docs/PROTOCOL.md, section 7) and takes every other frame after ATTACHED for a fault. */
export class MayflyPeer implements Peer {
  readonly prefix = new Uint8Array(BODY);
  onBody: BodySink = () => {};
  readonly socket: RawSocket;
  #sender = 0;
  #channelId = 0;
  #reply: ((frame: RelayFrame) => void) | undefined;
  #refused: (error: Error) => void = () => {};

  constructor(socket: RawSocket) {
    this.socket = socket;
    socket.onMessage = (bytes, start, end) => this.#read(bytes, start, end);
    socket.onFailure = (reason) => this.#refused(new Error(reason));
  }

  /** Says HELLO, attaches, and so learns what its MESSAGEs begin with. */
  async join(token: string, channel: string, role: Role): Promise<void> {
    const welcome = await this.#ask(encodeFrame([FrameType.HELLO, VERSION, token]));
    if (welcome[0] !== FrameType.WELCOME) throw new Error(`HELLO was answered by ${JSON.stringify(welcome)}`);
    this.#sender = welcome[1];
    const modes = (role.subscribes ? Mode.SUBSCRIBE : 0) | (role.publishes ? Mode.PUBLISH : 0);
    const attached = await this.#ask(encodeFrame([FrameType.ATTACH, REF, channel, modes]));
    if (attached[0] !== FrameType.ATTACHED) throw new Error(`ATTACH was answered by ${JSON.stringify(attached)}`);
    this.#channelId = attached[2];
    this.#writePrefix();
  }

  #ask(frame: Uint8Array): Promise<RelayFrame> {
    return new Promise((resolve, reject) => {
      this.#reply = resolve;
      this.#refused = reject;
      this.socket.send(frame);
    });
  }

  #writePrefix(): void {
    const view = new DataView(this.prefix.buffer);
    view.setUint16(0, MESSAGE_HEAD);
    view.setUint8(2, 0xce);
    view.setUint32(3, this.#channelId);
    view.setUint8(7, 0xcf);
    view.setUint8(16, 0xce);
    view.setUint16(21, NIL_THEN_BIN8);
    view.setUint8(23, BODY_BYTES);
  }

  #read(bytes: Buffer, start: number, end: number): void {
    let pos = start;
    while (pos < end) {
      pos = bytes.readUInt16BE(pos) === MESSAGE_HEAD ? this.#message(bytes, pos, end) : this.#control(bytes, pos, end);
    }
  }

  #message(bytes: Buffer, pos: number, end: number): number {
    if (
      pos + FRAME_BYTES > end ||
      bytes.readUInt32BE(pos + 3) !== this.#channelId ||
      bytes.readUInt16BE(pos + 21) !== NIL_THEN_BIN8 ||
      bytes.readUInt8(pos + 23) !== BODY_BYTES
    ) {
      throw new Error(`a MESSAGE nobody sent: ${bytes.toString('hex', pos, Math.min(end, pos + FRAME_BYTES))}`);
    }
    if (bytes.readUInt32BE(pos + 17) !== this.#sender) {
      const seq = bytes.readUInt32BE(pos + 8) * 0x1_0000_0000 + bytes.readUInt32BE(pos + 12);
      this.onBody(bytes, pos + BODY, seq, this.socket.readAtMs);
    }
    return pos + FRAME_BYTES;
  }

  #control(bytes: Buffer, pos: number, end: number): number {
    const read = readRelayFrame(bytes.subarray(0, end), pos);
    if (typeof read === 'string') throw new Error(`a frame that cannot be read: ${read}`);
    const reply = this.#reply;
    if (read.frame === undefined || reply === undefined)
      throw new Error(`an unexpected frame: ${JSON.stringify(read.frame)}`);
    this.#reply = undefined;
    reply(read.frame);
    return read.end;
  }
}

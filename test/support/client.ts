import { decodeMulti, encode } from '@msgpack/msgpack';
import { type ClientOptions, WebSocket } from 'ws';

/** A frame as an array, decoded by a msgpack library that the relay does not use. */
export type Frame = readonly unknown[];

const BOUND_MS = 10_000;

/** MESSAGE as a client sends it, by docs/PROTOCOL.md section 7, built without the relay's own code. */
export function message(channelId: number, body: Uint8Array | string, envelope: Uint8Array | null = null): Buffer {
  const header = Buffer.from('9604ce00000000cf0000000000000000ce00000000', 'hex');
  header.writeUInt32BE(channelId, 3);
  const bytes = typeof body === 'string' ? Buffer.from(body) : body;
  return Buffer.concat([header, encode(envelope), encode(bytes)]);
}

/** A client of the wire protocol over a real socket; every wait has a bound. */
export class TestClient {
  /** Every frame received, in order. */
  readonly frames: Frame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly socket: WebSocket;
  sender = 0;
  /** Takes each MESSAGE instead of `frames`, for loads too large to keep. */
  onMessage: ((frame: Frame) => void) | undefined;
  #taken = new Set<Frame>();
  #onFrame = new Set<() => void>();
  #ref = 0;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => {
      for (const frame of decodeMulti(new Uint8Array(data))) this.#receive(frame as Frame);
      for (const wake of [...this.#onFrame]) wake();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on('error', () => {});
  }

  #receive(frame: Frame): void {
    if (frame[0] === 4 && this.onMessage !== undefined) this.onMessage(frame);
    else this.frames.push(frame);
  }

  /** Opens the WebSocket and says nothing. */
  static async open(url: string, options: ClientOptions = {}): Promise<TestClient> {
    const socket = new WebSocket(url, 'mayfly.v1', { perMessageDeflate: false, ...options });
    const client = new TestClient(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  /** Says HELLO and waits for WELCOME. */
  async hello(token: string | null): Promise<Frame> {
    this.send([1, 1, token]);
    return this.welcome();
  }

  async welcome(): Promise<Frame> {
    const welcome = await this.next((frame) => frame[0] === 16, 'WELCOME');
    this.sender = welcome[1] as number;
    return welcome;
  }

  /** Sends frames as one WebSocket message; buffers go as they are. */
  send(...frames: (Frame | Uint8Array)[]): void {
    this.socket.send(Buffer.concat(frames.map((frame) => (frame instanceof Uint8Array ? frame : encode(frame)))));
  }

  /** The first frame not taken before that matches; waits for it. */
  async next(matches: (frame: Frame) => boolean, what = 'frame'): Promise<Frame> {
    const take = (): Frame | undefined => this.frames.find((frame) => !this.#taken.has(frame) && matches(frame));
    const frame = await this.until(() => take(), what);
    this.#taken.add(frame);
    return frame;
  }

  /** The next frame of a type. */
  nextOf(type: number): Promise<Frame> {
    return this.next((frame) => frame[0] === type, `frame of type ${type}`);
  }

  /** Waits until `read` gives something, looking again at each frame. */
  until<T>(read: () => T | undefined | false, what: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const value = read();
        if (value === undefined || value === false) return;
        finish();
        resolve(value);
      };
      const give = (why: string) => (): void => {
        finish();
        reject(new Error(`waited for ${what}: ${why}; got ${JSON.stringify(this.frames.slice(-5))}`));
      };
      const timer = setTimeout(give(`nothing in ${BOUND_MS} ms`), BOUND_MS);
      const onClose = give('closed');
      const finish = (): void => {
        clearTimeout(timer);
        this.#onFrame.delete(look);
        this.socket.off('close', onClose);
      };
      this.#onFrame.add(look);
      this.socket.on('close', onClose);
      look();
    });
  }

  /** Sends a request with a fresh ref and waits for the frame that answers it. `frame` is without its ref: [type, ...rest]. */
  request(type: number, ...rest: unknown[]): Promise<Frame> {
    const ref = ++this.#ref;
    this.send([type, ref, ...rest]);
    return this.next(
      (frame) => frame[1] === ref && [17, 18, 19, 20, 21].includes(frame[0] as number),
      `the answer to ${type}`,
    );
  }

  /** Attaches and returns the channel's id, number and occupancy; fails on ERROR. */
  async attach(channel: string, modes: number): Promise<{ channelId: number; seq: number; occupancy: number }> {
    const [type, , channelId, , seq, occupancy] = (await this.request(2, channel, modes)) as number[];
    if (type !== 17) throw new Error(`ATTACH ${channel}: ${JSON.stringify(this.frames.at(-1))}`);
    return { channelId: channelId as number, seq: seq as number, occupancy: occupancy as number };
  }

  /** PING and its PONG: everything sent before was handled, and everything it caused for this connection was read. */
  async flush(): Promise<void> {
    await this.request(6);
  }

  /** Bodies of the MESSAGEs received, as text. */
  bodies(channelId?: number): string[] {
    return this.messages(channelId).map((frame) => Buffer.from(frame[5] as Uint8Array).toString());
  }

  /** MESSAGEs received, of one channel or all. */
  messages(channelId?: number): Frame[] {
    return this.frames.filter((frame) => frame[0] === 4 && (channelId === undefined || frame[1] === channelId));
  }

  /** Stops and starts reading from the socket. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  terminate(): void {
    this.socket.terminate();
  }
}

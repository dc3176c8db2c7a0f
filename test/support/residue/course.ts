import { randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Program, Workplace } from '../cli.ts';
import { message, TestClient } from '../client.ts';
import { countTags } from './process-memory.ts';

const TAG_BYTES = 2;
const BOUND_MS = 10_000;
const FRAMES = 200;
const REQUESTS = 40;
/** Of 60,000 bytes each: more than loopback's socket buffers hold. */
const BACKLOG_FRAMES = 220;
const BACKLOG_BYTES = 60_000;

/** The running relay that canaries are sent through. */
export interface Subject {
  readonly program: Program;
  readonly url: string;
  readonly admin: string;
  readonly workplace: Workplace;
}

/** Sends canaries through a relay, path by path, and counts what is left of them in its memory. */
export class Course {
  /** Canaries sent, by path. */
  readonly sent = new Map<string, number>();
  readonly #subject: Subject;
  readonly #magic = randomBytes(9).toString('base64url');
  readonly #clients: TestClient[] = [];
  readonly #token: string;
  #otherWriter: TestClient | undefined;

  private constructor(subject: Subject, token: string) {
    this.#subject = subject;
    this.#token = token;
  }

  static async start(subject: Subject): Promise<Course> {
    return new Course(
      subject,
      await subject.workplace.token('--sub', 'courier', '--can', '>=rw', '--can', 'closed=r', '--ops', 'revoke'),
    );
  }

  /** Text of about so many bytes that is nothing but canaries of a path. */
  text(path: string, bytes: number): string {
    if (!this.sent.has(path)) this.sent.set(path, 0);
    const tag = String([...this.sent.keys()].indexOf(path)).padStart(TAG_BYTES, '0');
    const count = Math.ceil(bytes / (this.#magic.length + TAG_BYTES + 1));
    this.sent.set(path, (this.sent.get(path) ?? 0) + count);
    return `${this.#magic}${tag}.`.repeat(count);
  }

  body(path: string, bytes: number): Buffer {
    return Buffer.from(this.text(path, bytes));
  }

  async connect(token = this.#token): Promise<TestClient> {
    const client = await this.open();
    await client.hello(token);
    return client;
  }

  async open(): Promise<TestClient> {
    const client = await TestClient.open(this.#subject.url, { rejectUnauthorized: false });
    this.#clients.push(client);
    return client;
  }

  /** Every path on which nobody stands still. */
  async pass(): Promise<void> {
    const [reader, writer] = [await this.connect(), await this.connect()];
    const { channelId } = await reader.attach('open', 1);
    await writer.attach('open', 2);
    await writer.attach('closed', 1);
    for (let i = 0; i < FRAMES; i++) {
      writer.send(message(channelId, this.body('frame', 20 + i * 20)));
      writer.send(message(channelId, this.body('body beside an envelope', 100), this.body('envelope', 100)));
      writer.send(message(1, this.body('frame refused', 300)));
      if (i % 10 === 9) await writer.flush();
    }
    for (let i = 0; i < 5; i++) writer.send(message(channelId, this.body('frame too large', 70_000)));
    await writer.flush();
    for (const [path, bytes] of [
      ['bytes that are no frame', (text: Buffer) => Buffer.concat([Buffer.of(0xc1), text])],
      ['message too large', (text: Buffer) => Buffer.concat(Array.from({ length: 300 }, () => text))],
    ] as const) {
      const broken = await this.connect();
      broken.send(bytes(this.body(path, 1000)));
      await broken.closed;
    }
    const texting = await this.connect();
    texting.socket.send(this.text('text message', 1000));
    await texting.closed;
    for (let i = 0; i < REQUESTS; i++) {
      const envelope = this.body('envelope, HTTP', 66).toString('base64url');
      await this.#post(this.#token, this.body('body, HTTP', 40 + i * 400), { 'mayfly-envelope': envelope });
    }
    for (let i = 0; i < 5; i++) await this.#post(this.#token, this.body('body too large, HTTP', 80_000));
    await this.#post(this.text('token refused, HTTP', 700), Buffer.of(1));
    const stranger = await this.open();
    stranger.send([1, 1, this.text('token refused, HELLO', 700)]);
    await stranger.closed;
    await reader.flush();
  }

  /** Readers that stand still and are cut; and the end of the relay, whose drain waits for nothing of this. */
  async stall(): Promise<void> {
    const writer = await this.#other();
    await this.#stall('backlog of a slow reader', writer, async () => {});
    await this.#stall('backlog of a revoked reader', writer, async (sub) => {
      const body = Buffer.from(JSON.stringify({ sub }));
      await this.#post(this.#token, body, { 'content-type': 'application/json' }, '/v1/revocations');
    });
    await this.#stall('backlog at a drain', writer, async () => {
      this.#subject.program.child.kill('SIGTERM');
    });
  }

  /** Everybody goes. */
  leave(): void {
    for (const client of this.#clients.splice(0)) client.terminate();
  }

  /** Traffic without canaries, through the same buffers: what all connections share holds that afterwards. */
  async passOtherTraffic(): Promise<void> {
    const writer = await this.#other();
    const { channelId } = await writer.attach(`other.${randomBytes(4).toString('hex')}`, 1 | 2 | 8);
    for (let round = 0; round < 4; round++) {
      const large = message(channelId, Buffer.alloc(60_000, 1)); // many at once fill what is read into
      for (let i = 0; i < 30; i++) writer.send(large);
      await writer.flush();
      writer.send(message(channelId, Buffer.alloc(16_300, 1))); // fills what is written from
      await writer.flush();
    }
  }

  async #other(): Promise<TestClient> {
    this.#otherWriter ??= await this.connect();
    return this.#otherWriter;
  }

  /** Copies in the relay's memory, by path. */
  count(): Map<string, number> {
    const pid = this.#subject.program.child.pid ?? 0;
    const paths = [...this.sent.keys()];
    const counts = new Map<string, number>();
    for (const [tag, count] of countTags(pid, Buffer.from(this.#magic), TAG_BYTES)) {
      const path = paths[Number(tag)];
      if (path !== undefined) counts.set(path, count); // others were overwritten in part
    }
    return counts;
  }

  /** Fills the backlog of a reader that stands still, acts, and waits until the relay has cut it. */
  async #stall(path: string, writer: TestClient, act: (sub: string) => Promise<void>): Promise<void> {
    const sub = `stalled-${this.sent.size}`;
    const cutBefore = await this.#cuts();
    const stalled = await this.connect(await this.#subject.workplace.token('--sub', sub, '--can', '>=r'));
    await stalled.attach('stalled', 1);
    const { channelId } = await writer.attach('stalled', 2);
    stalled.pause();
    for (let i = 0; i < BACKLOG_FRAMES; i++) {
      writer.send(message(channelId, this.body(path, BACKLOG_BYTES)));
      if (i % 20 === 19) await writer.flush();
    }
    await act(sub);
    const deadlineMs = performance.now() + BOUND_MS;
    while ((await this.#cuts()) === cutBefore && performance.now() < deadlineMs);
    await writer.request(3, channelId);
    stalled.terminate();
  }

  async #cuts(): Promise<string> {
    const metrics = await (await fetch(`${this.#subject.admin}/metrics`)).text();
    return /^mayfly_cut_connections_total (.*)$/m.exec(metrics)?.[1] ?? '';
  }

  #post(
    token: string,
    body: Buffer,
    headers: Readonly<Record<string, string>> = {},
    path = '/v1/channels/open/messages',
  ): Promise<void> {
    const url = `${this.#subject.url.replace(/^ws/, 'http')}${path}`;
    const all = { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream', ...headers };
    const options = { method: 'POST', headers: { ...all, 'content-length': body.length }, agent: false };
    return new Promise((resolve) => {
      const asking = url.startsWith('https')
        ? httpsRequest(url, { ...options, rejectUnauthorized: false })
        : httpRequest(url, options);
      asking.on('response', (response) => response.resume().on('close', resolve));
      asking.on('error', () => resolve()); // hung up on: refused ahead of its body
      asking.end(body);
    });
  }
}

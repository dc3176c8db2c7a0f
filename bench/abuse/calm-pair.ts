import { bodySentUs, newBody, stampBody } from '../load/body.ts';
import { Latencies } from '../load/latency.ts';
import { joinMayfly, type MayflyPeer } from '../load/mayfly-peer.ts';
import { clientFrame, Opcode } from '../load/web-socket-frames.ts';

const PERIOD_MS = 5;
const DIAL_PERIOD_MS = 100;
const LATE_MS = 5000;

/** What the well-behaved felt over a time. Times in µs. */
export interface Feeling {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** Messages sent that did not come. */
  readonly missing: number;
  /** Newcomers with a token that were welcomed, and those that were not; the slowest of the welcomed. */
  readonly welcomed: number;
  readonly turnedAway: number;
  readonly slowestDialUs: number;
}

/** Two connections of a tenant that does nothing wrong: one says something every 5 ms, the other hears it. */
export class CalmPair {
  readonly #url: string;
  readonly #token: string;
  readonly #writer: MayflyPeer;
  readonly #latencies = new Latencies();
  readonly #originMs = performance.now();
  #sent = 0;
  #received = 0;
  #failure: string | null = null;

  private constructor(url: string, token: string, writer: MayflyPeer, reader: MayflyPeer) {
    this.#url = url;
    this.#token = token;
    this.#writer = writer;
    for (const peer of [writer, reader]) {
      peer.socket.onFailure = (reason) => {
        this.#failure = reason;
      };
    }
    reader.onBody = (bytes, start, _seq, readAtMs) => {
      this.#received++;
      this.#latencies.record(this.#us(readAtMs) - bodySentUs(bytes, start));
    };
  }

  static async join(url: string, token: string): Promise<CalmPair> {
    const reader = await joinMayfly(url, token, 'calm', { publishes: false, subscribes: true });
    const writer = await joinMayfly(url, token, 'calm', { publishes: true, subscribes: false });
    return new CalmPair(url, token, writer, reader);
  }

  /** Talks for so long. Throws when one of the two was cut. */
  async talk(seconds: number): Promise<Feeling> {
    this.#latencies.clear();
    this.#sent = this.#received = 0;
    const dials = { welcomed: 0, turnedAway: 0, slowestUs: 0 };
    const talking = setInterval(() => this.#say(), PERIOD_MS);
    const dialing = setInterval(() => void this.#dial(dials), DIAL_PERIOD_MS);
    await wait(seconds * 1000);
    clearInterval(talking);
    clearInterval(dialing);
    const endMs = performance.now() + LATE_MS;
    while (this.#received < this.#sent && performance.now() < endMs) await wait(PERIOD_MS);
    if (this.#failure !== null) throw new Error(`one of the well-behaved pair: ${this.#failure}`);
    return {
      p50Us: this.#latencies.percentile(50),
      p99Us: this.#latencies.percentile(99),
      maxUs: this.#latencies.percentile(100),
      missing: this.#sent - this.#received,
      welcomed: dials.welcomed,
      turnedAway: dials.turnedAway,
      slowestDialUs: dials.slowestUs,
    };
  }

  #say(): void {
    const body = newBody(0);
    stampBody(body, 0, this.#sent++, this.#us(performance.now()));
    this.#writer.socket.write(clientFrame(Opcode.BINARY, Buffer.concat([this.#writer.prefix, body])));
  }

  async #dial(dials: { welcomed: number; turnedAway: number; slowestUs: number }): Promise<void> {
    const startMs = performance.now();
    try {
      const peer = await joinMayfly(this.#url, this.#token, 'calm.newcomers', { publishes: true, subscribes: false });
      dials.welcomed++;
      dials.slowestUs = Math.max(dials.slowestUs, (performance.now() - startMs) * 1000);
      peer.socket.close();
    } catch {
      dials.turnedAway++;
    }
  }

  #us(ms: number): number {
    return ((ms - this.#originMs) * 1000) >>> 0;
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

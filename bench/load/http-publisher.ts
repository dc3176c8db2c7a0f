import autocannon from 'autocannon';
import { newBody, stampBody } from './body.ts';
import { Latencies } from './latency.ts';
import type { Receipts } from './receipts.ts';

/** Where requests go, and with what token. */
export interface PublishTarget {
  /** Such as http://127.0.0.1:4321. */
  readonly origin: string;
  readonly channel: string;
  readonly token: string;
  readonly connectionCount: number;
}

/** A number of requests, all answered. */
export interface Burst {
  readonly seconds: number;
  readonly latencies: Latencies;
}

/** Publishes by HTTP, a request at a time on each connection; every body carries a number of its own. */
export class HttpPublisher {
  #number = 0;
  readonly #target: PublishTarget;
  readonly #receipts: Receipts;

  constructor(target: PublishTarget, receipts: Receipts) {
    this.#target = target;
    this.#receipts = receipts;
  }

  /** Sends `amount` requests. Whatever is not a 202 goes to the receipts as a failure. */
  async publish(amount: number): Promise<Burst> {
    const { origin, channel, token, connectionCount } = this.#target;
    const body = newBody(0);
    const numbers = new WeakMap<object, number>();
    const latencies = new Latencies();
    const startMs = performance.now();
    let endMs = startMs;
    const instance = autocannon({
      url: `${origin}/v1/channels/${channel}/messages`,
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      connections: connectionCount,
      pipelining: 1,
      amount,
      requests: [
        {
          setupRequest: (request, context) => {
            numbers.set(context, this.#number);
            stampBody(body, 0, this.#number++, 0);
            return { ...request, body };
          },
          onResponse: (status, text, context) => this.#answered(status, text, numbers.get(context)),
        },
      ],
    }) as Promise<autocannon.Result> & autocannon.Instance; // it is both, whatever its types say
    instance.on('response', (_client, _status, _bytes, latencyMs) => {
      endMs = performance.now();
      latencies.record(latencyMs * 1000);
    });
    const { errors, timeouts } = await instance;
    if (errors + timeouts > 0) this.#receipts.fail(`${errors} requests failed, ${timeouts} had no answer in time`);
    return { seconds: (endMs - startMs) / 1000, latencies };
  }

  #answered(status: number, text: string, number: number | undefined): void {
    if (status !== 202 || number === undefined) {
      this.#receipts.fail(`a request was answered with ${status} ${text}`);
      return;
    }
    const { seq } = JSON.parse(text) as { readonly seq: number }; // the receipts refuse what is no number
    this.#receipts.acknowledge(number, seq);
  }
}

/** HTTP publish: autocannon against a Mayfly relay in a process of its own, while one subscriber checks that every 202 was delivered once and in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { bodySequence } from './load/body.ts';
import { HttpPublisher } from './load/http-publisher.ts';
import { joinMayfly } from './load/mayfly-peer.ts';
import { Receipts } from './load/receipts.ts';
import { cpuUs, cpuUsEach } from './support/cpu.ts';
import { runBench, writeResults } from './support/main.ts';
import { positive, readOptions } from './support/options.ts';
import { type MayflyRelay, startMayfly } from './support/relays.ts';

const CHANNEL = 'orders';
const CONNECTIONS = 50;
const MAX_CONNECTIONS = 1000;
const SECONDS = 8;
const MAX_SECONDS = 600;
const WARM_UP_REQUESTS = 10_000;
const DELIVERY_TIMEOUT_MS = 5000;
const QUIET_MS = 100;

await runBench(async (args) => {
  const options = readOptions(args, ['seconds', 'connections', 'json']);
  const seconds = positive('seconds', options.seconds, SECONDS, MAX_SECONDS);
  const connectionCount = Math.ceil(positive('connections', options.connections, CONNECTIONS, MAX_CONNECTIONS));
  const relay = await startMayfly();
  try {
    const result = await measure(relay, connectionCount, seconds);
    process.stdout.write(render(result));
    await writeResults(options.json?.at(-1), { http: result });
  } finally {
    await relay.stop();
  }
});

async function measure(relay: MayflyRelay, connectionCount: number, seconds: number) {
  const receipts = new Receipts();
  const subscriber = await joinMayfly(relay.url, relay.token, CHANNEL, { publishes: false, subscribes: true });
  subscriber.onBody = (bytes, start, seq) => receipts.deliver(bodySequence(bytes, start), seq);
  subscriber.socket.onFailure = (reason) => receipts.fail(`the subscriber: ${reason}`);
  const origin = `http://${new URL(relay.url).host}`;
  const publisher = new HttpPublisher({ origin, channel: CHANNEL, token: relay.token, connectionCount }, receipts);
  process.stderr.write('HTTP publish: warming up\n');
  const warmUp = await publisher.publish(WARM_UP_REQUESTS);
  const requests = Math.max(connectionCount, Math.round((WARM_UP_REQUESTS / warmUp.seconds) * seconds));
  process.stderr.write(`HTTP publish: ${requests} requests\n`);
  const cpuBefore = cpuUs(relay.pid);
  const burst = await publisher.publish(requests);
  const cpuAfter = cpuUs(relay.pid);
  await settled(receipts);
  subscriber.socket.close();
  const problem = receipts.verdict();
  if (problem !== null) throw new Error(problem);
  return {
    connections: connectionCount,
    requests,
    seconds: burst.seconds,
    requestsPerSecond: requests / burst.seconds,
    p50Us: burst.latencies.percentile(50),
    p99Us: burst.latencies.percentile(99),
    p999Us: burst.latencies.percentile(99.9),
    cpuUs: cpuUsEach(cpuBefore, cpuAfter, requests),
  };
}

async function settled(receipts: Receipts): Promise<void> {
  const deadlineMs = performance.now() + DELIVERY_TIMEOUT_MS;
  while (!receipts.isComplete && performance.now() < deadlineMs) await sleep(QUIET_MS);
  await sleep(QUIET_MS);
}

function render(result: Awaited<ReturnType<typeof measure>>): string {
  const ms = (us: number) => `${(us / 1000).toFixed(2)} ms`;
  const lines = [
    `HTTP publish, ${result.connections} connections, 128 B, one subscriber`,
    `  requests/s      ${Math.round(result.requestsPerSecond).toLocaleString('en-US')} (${result.requests} in ${result.seconds.toFixed(1)} s)`,
    `  latency         p50 ${ms(result.p50Us)}, p99 ${ms(result.p99Us)}, p99.9 ${ms(result.p999Us)}`,
    `  CPU per request ${result.cpuUs === null ? 'unavailable' : `${result.cpuUs.toFixed(1)} µs`}`,
    '  every 202 was delivered exactly once and in order',
  ];
  return `${lines.join('\n')}\n`;
}

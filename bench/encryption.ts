/** The SDK's end-to-end encryption, alone and over a relay in a process of its own: the same code in Node and in Chromium. */
import { randomBytes } from 'node:crypto';
import { connect } from '../src/client/node.ts';
import { type Rates, sendBurst, type Task } from './sdk/measure.ts';
import { chromiumRuntime, nodeRuntime, type Runtime } from './sdk/runtimes.ts';
import { runBench, writeResults } from './support/main.ts';
import { median } from './support/median.ts';
import { positive, readOptions, UsageError } from './support/options.ts';
import { startMayfly } from './support/relays.ts';

const MESSAGES = 50_000;
const MAX_MESSAGES = 150_000;
const BYTES = 256;
const MAX_BYTES = 32_768;
const ROUNDS = 3;
const MAX_ROUNDS = 100;
const KEY_BYTES = 32;
/** What the relay holds for a receiver, less the headers: a burst must fit. */
const MAX_BURST_BYTES = 48 * 1024 * 1024;

interface Round extends Rates {
  readonly receive: number;
}

await runBench(async (args) => {
  const options = readOptions(args, ['messages', 'bytes', 'rounds', 'json']);
  const messageCount = Math.ceil(positive('messages', options.messages, MESSAGES, MAX_MESSAGES));
  const messageBytes = Math.ceil(positive('bytes', options.bytes, BYTES, MAX_BYTES));
  const rounds = Math.ceil(positive('rounds', options.rounds, ROUNDS, MAX_ROUNDS));
  if (messageCount * messageBytes > MAX_BURST_BYTES)
    throw new UsageError(`--messages times --bytes must be at most ${MAX_BURST_BYTES}: the relay holds the burst`);
  const runtimes = [nodeRuntime(), await chromiumRuntime()];
  try {
    const results = new Map<string, Round[]>(runtimes.map(({ name }) => [name, []]));
    for (let round = 1; round <= rounds; round++) {
      for (const runtime of runtimes) {
        process.stderr.write(`round ${round}: ${runtime.name}\n`);
        results.get(runtime.name)?.push(await measure(runtime, messageCount, messageBytes));
      }
    }
    process.stdout.write(render(results, messageCount, messageBytes));
    await writeResults(options.json?.at(-1), { encryption: Object.fromEntries(results) });
  } finally {
    for (const runtime of runtimes) await runtime.stop();
  }
});

/** A fresh relay for each of the two measurements. */
async function measure(runtime: Runtime, messageCount: number, messageBytes: number): Promise<Round> {
  const key = [...randomBytes(KEY_BYTES)];
  const withRelay = async <T>(act: (task: Task) => Promise<T>): Promise<T> => {
    const relay = await startMayfly();
    try {
      return await act({ url: relay.url, token: relay.token, messageCount, messageBytes, key });
    } finally {
      await relay.stop();
    }
  };
  const rates = await withRelay((task) => runtime.send(task));
  const receive = await withRelay(async (task) => {
    let sending: Promise<void> = Promise.resolve();
    const rate = await runtime.receive(task, () => {
      sending = sendBurst(connect, task);
    });
    await sending;
    return rate;
  });
  return { ...rates, receive };
}

function render(results: ReadonlyMap<string, readonly Round[]>, messageCount: number, messageBytes: number): string {
  const columns = ['seal', 'publish', 'open', 'receive'] as const;
  const heads = ['encrypt', 'encrypt+publish', 'decrypt', 'receive+decrypt'];
  const lines = [
    `${messageCount} messages of ${messageBytes} B; messages/s, median (min..max)`,
    `  ${'runtime'.padEnd(26)}${heads.map((head) => head.padStart(28)).join('')}`,
  ];
  for (const [name, rounds] of results) {
    const cells = columns.map((column) => spread(rounds.map((round) => round[column])).padStart(28));
    lines.push(`  ${name.padEnd(26)}${cells.join('')}`);
  }
  return `${lines.join('\n')}\n  every message was accepted, delivered once, in order, and decrypted\n`;
}

function spread(values: readonly number[]): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    Math.round(value).toLocaleString('en-US'),
  );
  return `${middle} (${least}..${most})`;
}

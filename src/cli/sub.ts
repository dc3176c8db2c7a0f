import { once } from 'node:events';
import { Command } from 'commander';
import type { Channel, Message, Relay } from '../client/node.ts';
import { RelayError } from '../errors.ts';
import {
  type ClientOptions,
  channelOptions,
  connectTo,
  relayError,
  speaking,
  withClientOptions,
} from './client-options.ts';
import { complain } from './print.ts';

interface SubOptions extends ClientOptions {
  readonly count?: string;
}

/** `mayfly sub`: prints each message of a channel or pattern as a line of JSON, over reconnects; notices go to standard error. */
export function subCommand(): Command {
  return withClientOptions(
    new Command('sub').description('print the messages of a channel or pattern, one JSON object a line'),
  )
    .argument('<channel>', 'channel name or pattern')
    .option('--count <n>', 'stop after this many messages')
    .action(sub);
}

async function sub(url: string, name: string, options: SubOptions): Promise<void> {
  const wanted = options.count === undefined ? Number.POSITIVE_INFINITY : Number(options.count);
  if (!(wanted >= 1)) throw new RelayError('connection_failed', '--count takes a number from 1');
  const settings = channelOptions(options, 'r');
  const relay = await connectTo(url, options);
  const end = (): unknown => relay.close().finally(() => process.exit()); // also when nobody takes what was printed
  process.once('SIGINT', end).once('SIGTERM', end);
  let failure: RelayError | undefined;
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') failure ??= new RelayError('connection_failed', `standard output cannot be written: ${code}`);
    relay.close(); // with EPIPE, whoever read it has had enough
  });
  relay.on('closed', ({ error }) => {
    if (error !== undefined) failure ??= relayError(error);
  });
  try {
    const channel = await speaking(() => relay.channel(name, settings));
    channel.on('detached', (error) => {
      failure = relayError(error); // the token is what it is: it will not cover the channel again
      relay.close();
    });
    tellNotices(relay, channel);
    notice({ event: 'attached', channel: name });
    let printed = 0;
    for await (const message of channel) {
      const isTaken = process.stdout.write(`${JSON.stringify(lineOf(message))}\n`);
      if (++printed >= wanted) break;
      if (!isTaken) await once(process.stdout, 'drain').catch(() => undefined); // the SDK tells what it cannot keep meanwhile as loss
    }
  } finally {
    await relay.close();
  }
  if (failure !== undefined) throw failure;
}

/** Writes to standard error what happens beside messages. */
function tellNotices(relay: Relay, channel: Channel): void {
  channel.on('loss', (loss) => notice({ event: 'loss', ...loss }));
  channel.on('refused', (refused) => notice({ event: 'refused', ...refused }));
  channel.on('error', ({ code, message }) => notice({ event: 'error', code, message }));
  relay.on('error', ({ code, message }) => notice({ event: 'error', code, message }));
  relay.on('draining', (draining) => notice({ event: 'draining', ...draining }));
  relay.on('reconnecting', (reconnecting) => notice({ event: 'reconnecting', ...reconnecting }));
  relay.on('reconnected', (reconnected) => notice({ event: 'reconnected', ...reconnected }));
}

function lineOf({ channel, seq, sender, envelope, data }: Message): object {
  return {
    channel,
    seq,
    sender,
    envelope: envelope === null ? null : base64(envelope),
    body: base64(data),
    text: textOf(data),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

/** The body as text; undefined, and so left out, when it is not UTF-8. */
function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}

function notice(fact: object): void {
  complain(JSON.stringify(fact));
}

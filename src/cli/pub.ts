import { createInterface } from 'node:readline';
import { Command } from 'commander';
import type { Channel, MayflyError, Relay } from '../client/node.ts';
import { RelayError } from '../errors.ts';
import {
  type ClientOptions,
  channelOptions,
  connectTo,
  relayError,
  speaking,
  withClientOptions,
} from './client-options.ts';
import { Pace } from './pace.ts';

/** What frame, encryption and padding add to a line, generously. */
const FRAME_BYTES = 128;
const PADDING = 1.2;

/** `mayfly pub`: publishes a text, or each line of standard input; ends when the relay has accepted or refused all of it. */
export function pubCommand(): Command {
  return withClientOptions(new Command('pub').description('publish a text, or each line of standard input'))
    .argument('<channel>', 'channel name')
    .argument('[text]', 'the text; - or nothing reads standard input', '-')
    .action(pub);
}

async function pub(url: string, name: string, text: string, options: ClientOptions): Promise<void> {
  const settings = channelOptions(options, 'w');
  const relay = await connectTo(url, options);
  const stop = new AbortController();
  try {
    const channel = await speaking(() => relay.channel(name, settings));
    const publishing = speaking(() => publishAll(relay, channel, text, stop.signal));
    await Promise.race([failureOf(relay, channel), publishing]);
  } finally {
    stop.abort();
    await relay.close();
  }
}

async function publishAll(relay: Relay, channel: Channel, text: string, signal: AbortSignal): Promise<void> {
  const pace = new Pace(relay.limits);
  const publish = async (line: string): Promise<void> => {
    await pace.frame(Buffer.byteLength(line) * PADDING + FRAME_BYTES);
    await channel.publish(line);
  };
  if (text !== '-') await publish(text);
  else for await (const line of createInterface({ input: process.stdin, signal })) await publish(line);
  if (!signal.aborted) await relay.flush();
}

/** Rejects with the first thing that goes wrong: what was accepted until then nobody knows, so nothing is tried again. */
function failureOf(relay: Relay, channel: Channel): Promise<never> {
  return new Promise((_, reject) => {
    const fail = (error: MayflyError): void => reject(relayError(error));
    channel.on('error', fail);
    channel.on('detached', fail);
    relay.on('closed', ({ error }) => error !== undefined && fail(error));
    relay.on('reconnecting', ({ code }) =>
      reject(new RelayError('connection_failed', `the connection ended: ${code}`)),
    );
  });
}

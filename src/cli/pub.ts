import { createInterface } from 'node:readline';
import { Command } from 'commander';
import type { Channel, Relay } from '../client/node.ts';
import { RelayError } from '../errors.ts';
import {
  type ClientOptions,
  channelOptions,
  connectTo,
  relayError,
  speaking,
  withClientOptions,
} from './client-options.ts';

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
  try {
    const channel = await speaking(() => relay.channel(name, settings));
    await Promise.race([failureOf(relay, channel), speaking(() => publishAll(relay, channel, text))]);
  } finally {
    await relay.close();
  }
}

async function publishAll(relay: Relay, channel: Channel, text: string): Promise<void> {
  if (text !== '-') await channel.publish(text);
  else for await (const line of createInterface({ input: process.stdin })) await channel.publish(line);
  await relay.flush();
}

/** Rejects with the first thing that goes wrong: what was accepted until then nobody knows, so nothing is tried again. */
function failureOf(relay: Relay, channel: Channel): Promise<never> {
  return new Promise((_, reject) => {
    channel.on('error', (error) => reject(relayError(error)));
    relay.on('closed', ({ error }) => error !== undefined && reject(relayError(error)));
    relay.on('reconnecting', ({ code }) =>
      reject(new RelayError('connection_failed', `the connection ended: ${code}`)),
    );
  });
}

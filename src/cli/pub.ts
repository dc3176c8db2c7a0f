import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { RelayError } from '../errors.ts';
import { FrameType, Mode, type RelayFrame } from '../protocol/frames.ts';
import { encodeMessage } from '../protocol/message.ts';
import { tokenOption } from './token-option.ts';
import { connect, encode, type WireClient } from './wire-client.ts';

interface PubOptions {
  readonly token?: string;
  readonly ca?: string;
}

const ATTACH_REF = 1;
const PING_REF = 2;

/** `mayfly pub`: publishes a text, or each line of standard input; ends when the relay has accepted or refused all of it. */
export function pubCommand(): Command {
  return new Command('pub')
    .description('publish a text, or each line of standard input')
    .argument('<url>', 'ws:// or wss:// URL of the relay')
    .argument('<channel>', 'channel name')
    .argument('[text]', 'the text; - or nothing reads standard input', '-')
    .option('--token <token>', 'the token (also MAYFLY_TOKEN)')
    .option('--ca <file>', 'PEM certificate to trust')
    .action(pub);
}

async function pub(url: string, channel: string, text: string, options: PubOptions): Promise<void> {
  let failure: RelayError | undefined;
  let onAttached: (channelId: number) => void = () => {};
  const attached = new Promise<number>((resolve) => {
    onAttached = resolve;
  });
  const client = await connect({ url, token: tokenOption(options.token), caFile: options.ca }, (frame: RelayFrame) => {
    if (frame[0] === FrameType.ATTACHED) onAttached(frame[2]);
    else if (frame[0] === FrameType.PONG) client.close();
    else if (frame[0] === FrameType.ERROR) {
      failure = new RelayError('connection_failed', `${frame[2]} ${frame[3]}: ${frame[4]}`);
      if (frame[1] === ATTACH_REF) client.close();
    }
  });
  client.send(encode([FrameType.ATTACH, ATTACH_REF, channel, Mode.PUBLISH]));
  const channelId = await Promise.race([attached, client.ended]);
  if (typeof channelId === 'number') {
    await publishAll(client, channelId, text);
    client.send(encode([FrameType.PING, PING_REF]));
  }
  const why = await client.ended;
  if (failure !== undefined) throw failure;
  if (why !== undefined) throw new RelayError('connection_failed', why);
}

async function publishAll(client: WireClient, channelId: number, text: string): Promise<void> {
  const publish = (line: string): void => client.send(encodeMessage(channelId, null, Buffer.from(line)));
  if (text !== '-') {
    publish(text);
    return;
  }
  for await (const line of createInterface({ input: process.stdin })) publish(line);
}

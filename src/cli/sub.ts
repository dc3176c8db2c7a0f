import { Command } from 'commander';
import { RelayError } from '../errors.ts';
import { hasWildcard } from '../protocol/channel.ts';
import { FrameType, Mode, type RelayFrame } from '../protocol/frames.ts';
import { tokenOption } from './token-option.ts';
import { connect, encode } from './wire-client.ts';

interface SubOptions {
  readonly token?: string;
  readonly ca?: string;
  readonly count?: string;
}

const ATTACH_REF = 1;

/** `mayfly sub`: prints each frame of a channel or pattern as a line of JSON; notices go to standard error. */
export function subCommand(): Command {
  return new Command('sub')
    .description('print the frames of a channel or pattern, one JSON object a line')
    .argument('<url>', 'ws:// or wss:// URL of the relay')
    .argument('<channel>', 'channel name or pattern')
    .option('--token <token>', 'the token (also MAYFLY_TOKEN)')
    .option('--ca <file>', 'PEM certificate to trust')
    .option('--count <n>', 'stop after this many frames')
    .action(sub);
}

async function sub(url: string, channel: string, options: SubOptions): Promise<void> {
  const wanted = options.count === undefined ? Number.POSITIVE_INFINITY : Number(options.count);
  if (!(wanted >= 1)) throw new RelayError('connection_failed', '--count takes a number from 1');
  const names = new Map<number, string>();
  let printed = 0;
  let failure: RelayError | undefined;
  const client = await connect({ url, token: tokenOption(options.token), caFile: options.ca }, (frame) => {
    if (frame[0] === FrameType.MESSAGE && printed < wanted) {
      process.stdout.write(`${JSON.stringify(lineOf(frame, names))}\n`);
      if (++printed >= wanted) client.close();
    } else if (frame[0] === FrameType.NAMED) names.set(frame[1], frame[2]);
    else if (frame[0] === FrameType.ATTACHED) {
      if (!hasWildcard(channel)) names.set(frame[2], channel);
      notice({ event: 'attached', channel, occupancy: frame[5] });
    } else if (frame[0] === FrameType.HEAD)
      notice({ event: 'head', channelId: frame[1], seq: frame[2], own: frame[3] });
    else if (frame[0] === FrameType.EXPIRING) notice({ event: 'expiring', inMs: frame[1] });
    else if (frame[0] === FrameType.GOAWAY) notice({ event: 'goaway', reconnectInMs: frame[1] });
    else if (frame[0] === FrameType.ERROR && frame[1] === ATTACH_REF) {
      failure = new RelayError('connection_failed', `${frame[2]} ${frame[3]}: ${frame[4]}`);
      client.close();
    }
  });
  process.stdout.on('error', () => client.close()); // whoever read it is gone
  client.send(encode([FrameType.ATTACH, ATTACH_REF, channel, Mode.SUBSCRIBE]));
  process.once('SIGINT', () => client.close()).once('SIGTERM', () => client.close());
  const why = await client.ended;
  if (failure !== undefined) throw failure;
  if (why !== undefined) throw new RelayError('connection_failed', why);
}

function lineOf(frame: Extract<RelayFrame, { 0: typeof FrameType.MESSAGE }>, names: ReadonlyMap<number, string>) {
  const [, channelId, seq, sender, envelope, body] = frame;
  return {
    channel: names.get(channelId) ?? null,
    seq,
    sender,
    envelope: envelope === null ? null : base64(envelope),
    body: base64(body),
    text: textOf(body),
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
  process.stderr.write(`${JSON.stringify(fact)}\n`);
}

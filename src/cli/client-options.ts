import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { ChannelOptions } from '../client/index.ts';
import { ChannelKey, connect, MayflyError, type Relay } from '../client/node.ts';
import { RelayError } from '../errors.ts';
import { tokenOption } from './token-option.ts';

/** What the commands that are clients take. */
export interface ClientOptions {
  readonly token?: string;
  readonly ca?: string;
  readonly key?: string;
  readonly insecure?: true;
}

/** Adds what every command that is a client takes. */
export function withClientOptions(command: Command): Command {
  return command
    .argument('<url>', 'wss:// or ws:// URL of the relay')
    .option('--token <token>', 'the token (also MAYFLY_TOKEN)')
    .option('--key <key>', 'channel key, for end-to-end encryption (also MAYFLY_KEY)')
    .option('--ca <file>', 'PEM certificate to trust')
    .option('--insecure', 'permit plain ws:// to other machines');
}

/** Connects to the relay. Throws a RelayError that says what the relay or the network answered. */
export async function connectTo(url: string, options: ClientOptions): Promise<Relay> {
  const token = tokenOption(options.token);
  const { ca: file, insecure } = options;
  const ca = file === undefined ? undefined : await readFile(file, 'utf8');
  return speaking(() =>
    connect(url, { token, ...(ca === undefined ? {} : { ca }), ...(insecure === true ? { insecure } : {}) }),
  );
}

/** The options of a channel: encrypted with the key of the option or of MAYFLY_KEY, which keeps it out of the process list; else in clear. */
export function channelOptions({ key = process.env.MAYFLY_KEY }: ClientOptions, modes: 'r' | 'w'): ChannelOptions {
  return key === undefined ? { plaintext: true, modes } : { key: readChannelKey(key), modes };
}

/** Does what the SDK does, and says its errors as the command line does. */
export async function speaking<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw error instanceof MayflyError ? relayError(error) : error;
  }
}

/** An error of the SDK for a person at a terminal. */
export function relayError({ status, closeCode, code, message }: MayflyError): RelayError {
  return new RelayError('connection_failed', `${status ?? closeCode ?? ''} ${code}: ${message}`.trim());
}

function readChannelKey(text: string): ChannelKey {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== text)
    throw new RelayError('key_unusable', 'the channel key is not one that "mayfly keygen --channel" prints');
  return ChannelKey.fromBytes(bytes);
}

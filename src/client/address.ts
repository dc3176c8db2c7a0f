import { MayflyError } from './errors.ts';

/** `URL` is not used: React Native's can be made, and then cannot be read. */
const ADDRESS = /^(?:ws|http)(s?):\/\/([^\s/?#\\]+)((?:\/[^\s?#\\]*)?)(?:#.*)?$/is;
/** Hosts that lead nowhere but to this machine, in spellings that every parser of URLs reads alike. */
const LOOPBACK = /^(?:(?:[\w-]+\.)*localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/i;

/**
 * The URL to open a WebSocket at. Throws a MayflyError `insecure_url` for one that holds what looks like a credential, or is plain and
 * leads to another machine, unless that is fine; `connection_failed` for what is no URL of a relay.
 */
export function addressOf(text: string, isPlainFine: boolean): string {
  const url = text.trim();
  if (/^[^#]*\?|^[^/]*\/\/[^/?#]*@/.test(url)) throw new MayflyError('insecure_url', 'a token never goes in a URL');
  const [, secure, host = '', path = ''] = ADDRESS.exec(url) ?? [];
  if (secure === undefined) throw new MayflyError('connection_failed', 'expected the URL of a relay: wss://…');
  if (secure === '' && !isPlainFine && !LOOPBACK.test(host))
    throw new MayflyError('insecure_url', 'plain ws: shows the token to the network: use wss:');
  return `ws${secure.toLowerCase()}://${host}${path || '/'}`;
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Program } from '../support/cli.ts';
import { ScriptedRelay } from '../support/scripted-relay.ts';

const BUNDLE = new URL('../../dist/client/mayfly.min.js', import.meta.url).href;

/** A program in a runtime that lacks something, with the SDK as it is built; `ws` stands for the WebSocket of that runtime. */
function withoutGlobals(lacking: string, act: string): Program {
  const script = `
    import { webcrypto } from 'node:crypto';
    import { WebSocket } from 'ws';
    const say = (text) => process.stdout.write(text + '\\n');
    const socket = (url, protocol) => new WebSocket(url, protocol);
    const { TextDecoder: Decoder } = globalThis;
    ${lacking}
    const { ChannelKey, connect, setCrypto } = await import(${JSON.stringify(BUNDLE)});
    const talk = async (key) => {
      const relay = await connect('${relay.url}', { token: () => 'token', socket });
      const room = await relay.channel('room', key === undefined ? { plaintext: true } : { key });
      await room.publish('hello');
      await relay.flush();
      await relay.close();
      say('talked');
    };
    const failed = ({ name, code, message }) => say(name + ' ' + code + ' ' + message);
    ${act}
  `;
  return new Program(process.execPath, ['--input-type=module', '-e', script]);
}

let relay: ScriptedRelay;
beforeAll(async () => {
  relay = await ScriptedRelay.start();
});
afterAll(() => relay.stop());

describe('the SDK in one file', () => {
  it.each([
    ['URL', 'delete globalThis.URL;'],
    [
      'a URL that can be read, as in React Native',
      'globalThis.URL = class { get protocol() { throw new Error("not implemented"); } };',
    ],
    ['URL.canParse', 'delete URL.canParse;'],
    ['AbortSignal.any, timeout and abort', 'for (const name of ["any", "timeout", "abort"]) delete AbortSignal[name];'],
    ['Promise.withResolvers', 'delete Promise.withResolvers;'],
    ['structuredClone', 'delete globalThis.structuredClone;'],
    ['queueMicrotask', 'delete globalThis.queueMicrotask;'],
    ['performance', 'delete globalThis.performance;'],
    ['navigator', 'delete globalThis.navigator;'],
    ['Event and EventTarget', 'delete globalThis.Event; delete globalThis.EventTarget;'],
    ['DOMException', 'delete globalThis.DOMException;'],
    ['fetch', 'delete globalThis.fetch;'],
    [
      'a TextDecoder that takes options',
      'globalThis.TextDecoder = class { constructor(name, options) { if (options) throw new RangeError("no options"); } decode(bytes) { return new Decoder().decode(bytes); } };',
    ],
    ['a global WebSocket', 'delete globalThis.WebSocket;'],
  ])('talks, encrypted, without %s', async (_, lacking) => {
    const program = withoutGlobals(lacking, 'await talk(ChannelKey.random());');
    expect(await program.finished).toMatchObject({ code: 0, stdout: 'talked\n', stderr: '' });
  });

  it.each([
    ['TextEncoder', 'TextEncoder'],
    ['TextDecoder', 'TextDecoder'],
    ['AbortController', 'AbortController'],
  ])('can be imported without %s, and connecting says what is missing', async (_, name) => {
    const program = withoutGlobals(`delete globalThis.${name};`, 'await talk().catch(failed);');
    expect(await program.finished).toMatchObject({
      code: 0,
      stdout: `MayflyError unsupported_runtime this runtime has no ${name}\n`,
      stderr: '',
    });
  });

  it('can be imported without a WebSocket, and connecting says so', async () => {
    const act = `await connect('${relay.url}', { token: 'token' }).catch(failed);`;
    const { stdout, code } = await withoutGlobals('delete globalThis.WebSocket;', act).finished;
    expect([stdout, code]).toEqual([
      'MayflyError unsupported_runtime this runtime has no WebSocket: give one with the option socket\n',
      0,
    ]);
  });

  it.each([
    ['crypto', 'delete globalThis.crypto;'],
    [
      'crypto.subtle, as on a page without https',
      'Object.defineProperty(globalThis, "crypto", { value: { getRandomValues: (array) => array } });',
    ],
  ])('without %s talks in plaintext, says what is missing for a key, and takes a provider', async (_, lacking) => {
    const act = `
      await talk();
      try { ChannelKey.random(); } catch (error) { failed(error); }
      const key = ChannelKey.fromBytes(new Uint8Array(32).fill(7));
      await talk(key).catch(failed);
      try { setCrypto({}); } catch ({ name }) { say(name); }
      setCrypto(webcrypto);
      await talk(ChannelKey.random());
      process.exit();
    `;
    const { stdout, stderr } = await withoutGlobals(lacking, act).finished;
    expect([stdout.split('\n').map((line) => line.split(' ').slice(0, 2).join(' ')), stderr]).toEqual([
      ['talked', 'EncryptionError no_web_crypto', 'EncryptionError no_web_crypto', 'TypeError', 'talked', ''],
      '',
    ]);
  });

  it('survives a socket that throws in every place', async () => {
    const act = `
      const broken = () => ({
        readyState: 1, bufferedAmount: 0,
        set onopen(open) { setTimeout(open); },
        send() { throw new Error('broken'); },
        close() { throw new Error('broken'); },
      });
      await connect('${relay.url}', { token: 'token', socket: broken }).catch(failed);
    `;
    expect(await withoutGlobals('', act).finished).toMatchObject({
      code: 0,
      stdout: 'MayflyError connection_failed broken\n',
      stderr: '',
    });
  });
});

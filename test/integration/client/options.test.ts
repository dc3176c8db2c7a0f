import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Channel, ChannelKey, connect, type Relay } from '../../../src/client/node.ts';
import { ScriptedRelay } from '../../support/scripted-relay.ts';

const key = ChannelKey.random();
let relay: ScriptedRelay;
let untouched: ScriptedRelay;
let client: Relay;
let channel: Channel;
beforeAll(async () => {
  relay = await ScriptedRelay.start();
  untouched = await ScriptedRelay.start();
  client = await connect(relay.url, { token: 'token' });
  channel = await client.channel('room', { key, presence: true });
});
afterAll(async () => {
  await client.close();
  await relay.stop();
  await untouched.stop();
});

/** Numbers that are none, in one way or the other. */
const NO_NUMBERS = [Number.NaN, Number.POSITIVE_INFINITY, -1, '5000', null, true, [], {}, 2 ** 31];

describe('connect', () => {
  it.each([
    ...NO_NUMBERS.flatMap((value) => [
      [{ keepAliveMs: value }, /keepAliveMs: expected a number from 100 to 2147483647, got /],
      [{ connectTimeoutMs: value }, /connectTimeoutMs: expected a number from 1 to 2147483647, got /],
      [{ backoff: { firstMs: value } }, /backoff: firstMs: expected a number from 1 to 2147483647, got /],
      [{ backoff: { maxMs: value } }, /backoff: maxMs: expected a number from 1 to 2147483647, got /],
    ]),
    [{ keepAliveMs: 0 }, /keepAliveMs: .* got 0$/],
    [{ keepAliveMs: 1 }, /keepAliveMs: .* got 1$/],
    [{ connectTimeoutMs: 0 }, /connectTimeoutMs: .* got 0$/],
    [{ backoff: { firstMs: 0, maxMs: 0 } }, /firstMs: .* got 0$/],
    [{ backoff: 500 }, /backoff: expected an object, got 500$/],
    [{ backoff: { first: 500 } }, /backoff: option: expected "firstMs", "maxMs", got "first"$/],
    [{ insecure: 'yes' }, /insecure: expected true or false, got "yes"$/],
    [{ socket: {} }, /socket: expected a function, got Object$/],
    [{ signal: {} }, /signal: expected an AbortSignal, got Object$/],
    [{ signal: new AbortController() }, /signal: expected an AbortSignal/],
    [{ signal: null }, /signal: expected an AbortSignal, got null$/],
    [{ backOff: {} }, /option: expected .*"backoff".*, got "backOff"$/],
    [{ toString: 1 }, /option: expected .*, got "toString"$/],
    [{ token: undefined }, /token: expected a token, or a function/],
    [{ token: '' }, /token: expected a token, or a function/],
    [{ token: 42 }, /token: expected a token, or a function/],
    [{ token: Promise.resolve('token') }, /token: expected a token, or a function/],
    [{ ca: 'no certificate' }, /ca: expected a certificate as PEM text$/],
    [{ ca: 7 }, /ca: expected a certificate as PEM text$/],
  ] as [object, RegExp][])('refuses %j at once, and says what it expected', async (options, words) => {
    const failure = await connect(untouched.url, { token: 'token', ...options } as never).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(TypeError);
    expect((failure as Error).message).toMatch(words);
    expect((failure as Error).message).toMatch(/^connect: /);
  });

  it('has dialed nobody for what it refused', async () => {
    await (await connect(untouched.url, { token: 'token' })).close();
    expect(untouched.connections).toHaveLength(1);
  });

  it.each([[undefined], [null], ['eyJhbGciOiJFZERTQSJ9.x.y'], [7]])(
    'refuses %j in place of options, and repeats none of it',
    async (options) => {
      const failure = await connect(relay.url, options as never).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(TypeError);
      expect((failure as Error).message).toMatch(
        /^(connect: token: expected a token, or a function|expected options, got \w+$)/,
      );
    },
  );

  it.each([[undefined], [null], [8080], [{}]])('refuses %j in place of a URL', async (url) => {
    await expect(connect(url as never, { token: 'token' })).rejects.toThrow(/^connect: url: expected a string, got /);
  });

  it('never repeats a token that is none', async () => {
    const failure = await connect(relay.url, { token: 'my secret' }).catch((error: unknown) => error);
    expect((failure as Error).message).not.toContain('secret');
  });

  it('takes an option that is undefined for one that was not given', async () => {
    const options = { socket: undefined, backoff: undefined, keepAliveMs: undefined, ca: undefined, signal: undefined };
    const other = await connect(relay.url, { token: 'token', ...options } as never);
    expect(other.isConnected).toBe(true);
    await other.close();
  });
});

describe('relay.channel', () => {
  it.each([
    ...NO_NUMBERS.flatMap((value) => [
      [{ maxUnsent: value }, /maxUnsent: expected a whole number from 0 to 2147483647, got /],
      [{ maxWaiting: value }, /maxWaiting: expected a whole number from 1 to 2147483647, got /],
      [{ maxWaitingBytes: value }, /maxWaitingBytes: expected a whole number from 1 to 2147483647, got /],
    ]),
    [{ maxUnsent: 1.5 }, /maxUnsent: .* got 1.5$/],
    [{ maxWaiting: 0 }, /maxWaiting: .* got 0$/],
    [{ modes: 'read' }, /modes: expected "r", "w", "rw", got "read"$/],
    [{ modes: 'wr' }, /modes: .* got "wr"$/],
    [{ modes: '' }, /modes: .* got ""$/],
    [{ modes: 3 }, /modes: .* got 3$/],
    [{ echo: 1 }, /echo: expected true or false, got 1$/],
    [{ presence: 'yes' }, /presence: expected true or false, got "yes"$/],
    [{ plaintext: 'true' }, /plaintext: expected true or false, got "true"$/],
    [{ signal: 'stop' }, /signal: expected an AbortSignal, got "stop"$/],
    [{ mode: 'r' }, /option: expected .*"modes".*, got "mode"$/],
    [{ maxWaitng: 1 }, /option: expected .*"maxWaiting".*, got "maxWaitng"$/],
  ] as [object, RegExp][])('refuses %j at once, and says what it expected', async (options, words) => {
    const failure = await client.channel('other', { key, ...options } as never).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(TypeError);
    expect((failure as Error).message).toMatch(words);
    expect((failure as Error).message).toMatch(/^channel: /);
    await client.flush();
    expect(relay.connections[0]?.frames.filter(([type, , name]) => type === 2 && name === 'other')).toEqual([]);
  });

  it('asks for a key where there are no options at all', async () => {
    await expect(client.channel('other', undefined as never)).rejects.toMatchObject({ code: 'key_required' });
    await expect(client.channel('other', 'key' as never)).rejects.toThrow('expected options, got String');
  });

  it.each([[undefined], [null], [42], [['room']]])('takes %j for a bad name', async (name) => {
    await expect(client.channel(name as never, { key })).rejects.toMatchObject({ code: 'bad_channel' });
  });

  it('leaves the name free after a refusal', async () => {
    await expect(client.channel('free', { key, modes: 'read' } as never)).rejects.toThrow(TypeError);
    await (await client.channel('free', { key })).detach();
  });
});

describe('listening', () => {
  it.each([
    ['a relay', () => client, 'mesage'],
    ['a channel', () => channel, 'closed'],
    ['presence', () => channel.presence, 'enter'],
  ] as [string, () => Relay, string][])(
    'to %s is refused for events that there are not, and for no functions',
    (_, on, name) => {
      expect(() => on().on(name as never, () => {})).toThrow(/^on: expected ".*", got "/);
      expect(() => on().on('constructor' as never, () => {})).toThrow(TypeError);
      const known = name === 'enter' ? 'join' : 'error';
      expect(() => on().on(known as never, undefined as never)).toThrow(
        'on: listener: expected a function, got undefined',
      );
    },
  );

  it('takes a signal and nothing else', () => {
    expect(() => client.on('error', () => {}, { signal: true } as never)).toThrow(
      'on: signal: expected an AbortSignal',
    );
    expect(() => channel.on('error', () => {}, { once: true } as never)).toThrow(
      'on: option: expected "signal", got "once"',
    );
  });
});

describe('publishing', () => {
  it('takes an envelope and nothing else', async () => {
    await expect(channel.publish('x', { envelop: new Uint8Array(1) } as never)).rejects.toThrow(
      'publish: option: expected "envelope", got "envelop"',
    );
    await expect(channel.publish('x', null as never)).rejects.toThrow('expected options, got Null');
  });
});

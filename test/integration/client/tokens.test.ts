import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ConnectOptions, connect, MayflyError, type Relay, type TokenRequest } from '../../../src/client/node.ts';
import { agree, type Script, ScriptedRelay, welcome } from '../../support/scripted-relay.ts';
import { same, until } from './support.ts';

const relays: ScriptedRelay[] = [];
const clients: Relay[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const client of clients.splice(0)) await client.close();
  for (const relay of relays.splice(0)) await relay.stop();
});

async function start(script?: Script): Promise<ScriptedRelay> {
  const relay = await ScriptedRelay.start(script);
  relays.push(relay);
  return relay;
}

async function join(relay: ScriptedRelay, options: Partial<ConnectOptions> = {}): Promise<Relay> {
  const client = await connect(relay.url, { token: () => 'token', backoff: { firstMs: 1, maxMs: 5 }, ...options });
  clients.push(client);
  return client;
}

const back = (client: Relay): Promise<unknown> => new Promise((resolve) => client.on('reconnected', resolve));
const closed = (client: Relay): Promise<MayflyError | undefined> =>
  new Promise((resolve) => client.on('closed', ({ error }) => resolve(error)));

/** A relay that refuses the HELLOs of `which` (from 1 on) with a code and a close code. */
const refusing = (which: readonly number[], code: string, closeCode: number): Script => ({
  hello: (connection, count) => {
    if (!which.includes(count)) connection.send(welcome());
    else {
      connection.send([21, null, 403, code, 'no', null]);
      connection.socket.close(closeCode, code);
    }
  },
});

/** A token function that remembers what it was told. */
function remembering(token: (call: number) => string | Promise<string> = () => 'token') {
  const asked: string[] = [];
  return {
    asked,
    token: ({ reason, code }: TokenRequest) => token(asked.push(code === undefined ? reason : `${reason} ${code}`)),
  };
}

describe('a token function', () => {
  it('that takes longer than a connection may is asked once, and its answer used', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const relay = await start();
    let answer = (_: string): void => {};
    const slow = new Promise<string>((resolve) => {
      answer = resolve;
    });
    const source = remembering((call) => (call === 1 ? 'token' : slow));
    const client = await join(relay, { token: source.token, connectTimeoutMs: 1000 });
    const returned = back(client);
    const away = new Promise((resolve) => client.on('reconnecting', resolve));
    relay.latest.socket.terminate();
    await away;
    await until(() => vi.advanceTimersByTime(5) && source.asked.length).toBe(2);
    await vi.advanceTimersByTimeAsync(3000);
    answer('token');
    await returned;
    expect(source.asked).toEqual(['connect', 'reconnect connection_failed']);
  });

  it('is never called twice at a time: a reconnect takes the answer that a renewal asked for', async () => {
    const answers: ((token: string) => void)[] = [];
    const source = remembering((call) =>
      call === 1 ? 'token' : new Promise<string>((resolve) => answers.push(resolve)),
    );
    const relay = await start();
    const client = await join(relay, { token: source.token });
    relay.latest.send([25, 30_000]);
    await until(() => source.asked.length).toBe(2);
    const returned = back(client);
    const away = new Promise((resolve) => client.on('reconnecting', resolve));
    relay.latest.socket.terminate();
    await away;
    answers[0]?.('late');
    await returned;
    expect(source.asked).toEqual(['connect', 'expiring']);
    const renewing = client.renew();
    await until(() => answers.length).toBe(2);
    answers[1]?.('fresh');
    await renewing;
    expect(relay.latest.frames.at(-1)).toEqual([5, expect.anything(), 'fresh']);
  });

  it('is told why it is asked, with the code of what was wrong', async () => {
    let renewals = 0;
    const relay = await start({
      hello: refusing([4], 'token_revoked', 4002).hello,
      frame: (connection, frame) => {
        const isRefused = frame[0] === 5 && renewals++ === 1;
        connection.send(isRefused ? [21, frame[1], 403, 'token_ttl_too_long', 'no', null] : (agree(frame) ?? []));
      },
    } as Script);
    const source = remembering();
    const client = await join(relay, { token: source.token });
    await client.renew();
    relay.latest.send([25, 10_000]);
    await until(() => source.asked.length).toBe(4);
    for (const close of [1001, 4001, 4007]) {
      const returned = back(client);
      relay.latest.socket.close(close);
      await returned;
    }
    expect(source.asked).toEqual([
      'connect',
      'renew',
      'expiring',
      'refused token_ttl_too_long',
      'reconnect connection_failed',
      'refused token_expired',
      'refused token_not_yet_valid',
      'refused token_revoked',
    ]);
  });

  it.each([
    ['token_invalid', 4503],
    ['token_claims_invalid', 4503],
    ['token_missing', 4502],
    ['token_revoked', 4002],
    ['token_expired', 4001],
    ['token_not_yet_valid', 4007],
  ])('is asked again and again when the relay refuses its tokens at a reconnect with %s', async (code, closeCode) => {
    const relay = await start(refusing([2, 3, 4], code, closeCode));
    const source = remembering();
    const client = await join(relay, { token: source.token });
    const errors: string[] = [];
    client.on('error', (error) => errors.push(error.code));
    const returned = back(client);
    relay.latest.socket.terminate();
    await returned;
    expect(source.asked).toEqual(['connect', 'reconnect connection_failed', ...same(`refused ${code}`, 3)]);
    expect(errors).toEqual(same(code, 3));
  });

  it.each([
    ['token_invalid', 4503],
    ['token_not_yet_valid', 4007],
  ])('is asked once more before connecting fails with %s', async (code, closeCode) => {
    const source = remembering();
    const mended = await start(refusing([1], code, closeCode));
    await join(mended, { token: source.token });
    expect(source.asked).toEqual(['connect', `refused ${code}`]);
    const hopeless = await start(refusing([1, 2, 3], code, closeCode));
    await expect(join(hopeless)).rejects.toMatchObject({ code, closeCode });
    expect(hopeless.connections).toHaveLength(2);
  });

  it.each([
    ['nothing', undefined, 'undefined'],
    ['an empty text', '', 'got ""'],
    ['an object', { token: 'abc' }, 'got Object'],
    ['a login page', '<!doctype html><title>Sign in</title>', 'HTML, JSON'],
    ['JSON', '{"token":"abc"}', 'HTML, JSON'],
    ['a line end behind the token', 'abc\n', 'spaces'],
  ])('that returns %s is told so, and is asked again', async (_, wrong, words) => {
    await expect(connect('ws://127.0.0.1:1', { token: () => wrong as never })).rejects.toMatchObject({
      code: 'token_failed',
      message: expect.stringContaining(words),
    });
    const relay = await start();
    const client = await join(relay, { token: remembering((call) => (call === 2 ? (wrong as never) : 'token')).token });
    const codes: string[] = [];
    client.on('error', ({ code }) => codes.push(code));
    const returned = back(client);
    relay.latest.socket.terminate();
    await returned;
    expect(codes).toEqual(['token_failed']);
  });

  it('never has what it returned in an error', async () => {
    const secret = 'header.claims.signature and more';
    const failure = await connect('ws://127.0.0.1:1', { token: () => secret }).catch((error: unknown) => error);
    expect(JSON.stringify([failure, (failure as Error).message])).not.toContain('claims');
  });

  it.each([
    ['at a reconnect', (relay: ScriptedRelay) => relay.latest.socket.terminate()],
    ['at a renewal', (relay: ScriptedRelay) => relay.latest.send([25, 30_000])],
    ['after a revocation', (relay: ScriptedRelay) => relay.latest.socket.close(4002)],
  ])('ends the connection for good when it says that there will be no token, %s', async (_, upset) => {
    const cause = new MayflyError('token_denied', 'signed out');
    const source = remembering((call) => {
      if (call > 1) throw cause;
      return 'token';
    });
    const relay = await start();
    const client = await join(relay, { token: source.token });
    const ended = closed(client);
    upset(relay);
    expect(await ended).toMatchObject({ code: 'token_denied', cause });
    expect(source.asked).toHaveLength(2);
  });

  it('ends it likewise by any error with that code, and makes connecting fail at once', async () => {
    const cause = Object.assign(new Error('signed out'), { code: 'token_denied' });
    const token = (): Promise<string> => Promise.reject(cause);
    await expect(connect('ws://127.0.0.1:1', { token })).rejects.toMatchObject({ code: 'token_denied', cause });
  });

  it('learns by its signal that nobody waits any more', async () => {
    const signals: AbortSignal[] = [];
    const relay = await start();
    const token = ({ signal }: TokenRequest): string | Promise<string> =>
      signals.push(signal) === 1 ? 'token' : new Promise(() => {});
    const client = await join(relay, { token });
    const renewing = client.renew().catch(({ code }: MayflyError) => code);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
    await client.close();
    expect(await renewing).toBe('aborted');
    await until(() => signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  });

  it('is not asked by a relay that says EXPIRING without end', async () => {
    for (const inMs of [0, 30_000, 2 ** 53 - 1]) {
      const relay = await start();
      const source = remembering();
      const client = await join(relay, { token: source.token });
      for (let i = 0; i < 50; i++) {
        relay.latest.send(...same([25, inMs], 50));
        await client.flush();
      }
      expect(source.asked).toEqual(['connect', 'expiring']);
    }
  });
});

describe('a token that is only a string', () => {
  it.each([
    ['token_rejected', 4503],
    ['token_expired', 4001],
    ['token_revoked', 4002],
  ])('ends the connection for good when it is refused with %s', async (name, closeCode) => {
    const relay = await start();
    const client = await join(relay, { token: 'token' });
    const ended = closed(client);
    relay.latest.socket.close(closeCode);
    expect(await ended).toMatchObject({ code: name });
  });

  it('is tried again when it is not valid yet: that passes by waiting', async () => {
    const relay = await start(refusing([2, 3], 'token_not_yet_valid', 4007));
    const client = await join(relay, { token: 'token' });
    const returned = back(client);
    relay.latest.socket.terminate();
    await returned;
    expect(relay.connections).toHaveLength(4);
  });
});

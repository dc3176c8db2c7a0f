/** The SDK's public types as an app sees them: from the built package, by its own name. A line that should be refused and is not fails. */
import type { webcrypto } from 'node:crypto';
import {
  type BackoffOptions,
  blindName,
  type Channel,
  type ChannelEvents,
  ChannelKey,
  type ChannelOptions,
  type ConnectionState,
  type ConnectOptions,
  connect,
  type EncryptionError,
  KeyRing,
  MayflyError,
  type Member,
  type Message,
  type OpenRefusal,
  type Padding,
  type Presence,
  type PresenceEvents,
  type Relay,
  type RelayEvents,
  type SocketFactory,
  type SocketLike,
  setCrypto,
  type TokenRequest,
  type TokenSource,
} from 'mayfly/client';
import { describe, expectTypeOf, it } from 'vitest';
import { WebSocket } from 'ws';

declare const relay: Relay;
declare const channel: Channel;
declare const presence: Presence;
declare const key: ChannelKey;
declare const ring: KeyRing;

describe('the package', () => {
  it('has types of its own, not any', () => {
    expectTypeOf<Relay>().not.toBeAny();
    expectTypeOf(connect).not.toBeAny();
  });

  it('exports no internals', () => {
    // @ts-expect-error: what a channel does inside is not public
    type Inside = typeof import('mayfly/client').ChannelState;
    // @ts-expect-error: nor is a path into the package
    type State = typeof import('mayfly/client/channel-state.js');
    expectTypeOf<Inside | State>();
    // @ts-expect-error: nor are the steps that connect takes
    relay.open();
    // @ts-expect-error: nor those of presence
    presence.begin(1);
  });
});

describe('connect', () => {
  it('takes a token, or a function that gets one', () => {
    expectTypeOf(connect('wss://relay.example', { token: 'a token' })).resolves.toEqualTypeOf<Relay>();
    expectTypeOf<TokenSource>().toEqualTypeOf<string | ((request: TokenRequest) => string | Promise<string>)>();
    connect('wss://relay.example', {
      token: ({ reason, code, signal }) => fetch(`/${reason}/${code}`, { signal }).then((answer) => answer.text()),
    });
    // @ts-expect-error: one of five
    connect('wss://relay.example', { token: ({ reason }) => (reason === 'later' ? '' : '') });
    connect('wss://relay.example', { token: async () => 'a token' });
    // @ts-expect-error: the relay serves nobody without a token
    connect('wss://relay.example', {});
    // @ts-expect-error: nor with one that is not text
    connect('wss://relay.example', { token: 42 });
    // @ts-expect-error: the function must get text
    connect('wss://relay.example', { token: async () => undefined });
    // @ts-expect-error: the address is text
    connect(8080, { token: '' });
  });

  it('takes its other options', () => {
    const options: ConnectOptions = { token: '', signal: AbortSignal.abort(), backoff: { firstMs: 1, maxMs: 2 } };
    connect('wss://relay.example', { ...options, ca: 'PEM' });
    expectTypeOf<BackoffOptions>().toEqualTypeOf<{ readonly firstMs?: number; readonly maxMs?: number }>();
    // @ts-expect-error: misspelt
    connect('wss://relay.example', { token: '', backOff: {} });
    // @ts-expect-error: misspelt
    connect('wss://relay.example', { token: '', backoff: { first: 1 } });
    // @ts-expect-error: milliseconds are a number
    connect('wss://relay.example', { token: '', backoff: { firstMs: '1s' } });
  });

  it('takes the WebSockets of ws as they are', () => {
    expectTypeOf<WebSocket>().toExtend<SocketLike>();
    const socket: SocketFactory = (url, protocol) => new WebSocket(url, protocol);
    connect('wss://relay.example', { token: '', socket });
    // @ts-expect-error: it cannot wait
    connect('wss://relay.example', { token: '', socket: async () => new WebSocket('') });
  });
});

describe('a relay', () => {
  it('tells each event with its own payload', () => {
    const stop = relay.on('reconnecting', (event) => {
      expectTypeOf(event).toEqualTypeOf<RelayEvents['reconnecting']>();
      expectTypeOf(event).toExtend<{ readonly inMs: number; readonly code: number }>();
    });
    expectTypeOf(stop).toEqualTypeOf<() => void>();
    relay.on('state', (state) => expectTypeOf(state).toEqualTypeOf<ConnectionState>());
    relay.on('reconnected', ({ isSameRelay }) => expectTypeOf(isSameRelay).toEqualTypeOf<boolean>());
    relay.on('renewed', ({ expiry }) => expectTypeOf(expiry).toEqualTypeOf<number>());
    relay.on('draining', ({ reconnectInMs }) => expectTypeOf(reconnectInMs).toEqualTypeOf<number>());
    relay.on('error', (error) => expectTypeOf(error).toEqualTypeOf<MayflyError>());
    relay.on('closed', ({ error }) => expectTypeOf(error).toEqualTypeOf<MayflyError | undefined>());
  });

  it('refuses events that there are not, and listeners for another payload', () => {
    // @ts-expect-error: the channel tells messages
    relay.on('message', () => {});
    // @ts-expect-error: of another event
    relay.on('renewed', ({ inMs }: { inMs: number }) => inMs);
    // @ts-expect-error: may be undefined
    relay.on('closed', ({ error }: { error: MayflyError }) => error);
  });

  it('has state that is read only', () => {
    expectTypeOf(relay.isConnected).toEqualTypeOf<boolean>();
    expectTypeOf(relay.state).toEqualTypeOf<ConnectionState>();
    expectTypeOf<ConnectionState>().toEqualTypeOf<'connecting' | 'connected' | 'checking' | 'waiting' | 'closed'>();
    expectTypeOf(relay.check()).toEqualTypeOf<void>();
    // @ts-expect-error: it is what it is
    relay.state = 'connected';
    expectTypeOf(relay.limits).toEqualTypeOf<Readonly<Record<string, number>>>();
    // @ts-expect-error: it is connected when it is
    relay.isConnected = true;
    // @ts-expect-error: the relay's limits are the relay's
    relay.limits.maxFrameBytes = 1;
  });

  it('attaches channels, renews, flushes and closes', () => {
    expectTypeOf(relay.channel('room', { key })).resolves.toEqualTypeOf<Channel>();
    expectTypeOf(relay.flush()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(relay.renew()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(relay.close()).toEqualTypeOf<Promise<void>>();
    expectTypeOf(relay.sender).toEqualTypeOf<number>();
  });
});

describe('channel options', () => {
  it('are a key, a ring, or the word plaintext', () => {
    for (const options of [{ key }, { key: ring }, { plaintext: true }] satisfies ChannelOptions[]) {
      relay.channel('room', options);
    }
    // @ts-expect-error: options must be given
    relay.channel('room');
    // @ts-expect-error: bytes are made a key with ChannelKey.fromBytes
    relay.channel('room', { key: new Uint8Array(32) });
    // @ts-expect-error: a passphrase is made a key with ChannelKey.fromPassphrase
    relay.channel('room', { key: 'correct horse battery' });
    // @ts-expect-error: a WebCrypto key is none of ours
    relay.channel('room', { key: {} as webcrypto.CryptoKey });
    // @ts-expect-error: not neither
    relay.channel('room', {});
    // @ts-expect-error: not both
    relay.channel('room', { key, plaintext: true });
    // @ts-expect-error: presence is told in encrypted frames only
    relay.channel('room', { plaintext: true, presence: true });
    // @ts-expect-error: and needs to read and to write
    relay.channel('room', { key, presence: true, modes: 'r' });
    // @ts-expect-error: plaintext is said, or left out
    relay.channel('room', { plaintext: false });
    // @ts-expect-error: likewise
    relay.channel('room', { plaintext: 'true' });
    // @ts-expect-error: a key that may be missing is no key
    relay.channel('room', { key: undefined as ChannelKey | undefined });
  });

  it('have no others', () => {
    // @ts-expect-error: misspelt
    relay.channel('room', { key, mode: 'r' });
    // @ts-expect-error: misspelt
    relay.channel('room', { key, maxWaitng: 1 });
    // @ts-expect-error: there is no history to ask for
    relay.channel('room', { key, since: 0 });
  });

  it('take values of their kinds', () => {
    relay.channel('room', { key, modes: 'rw', echo: true, presence: true, maxUnsent: 1, maxWaiting: 1 });
    for (const modes of ['r', 'w', 'rw'] as const) relay.channel('room', { key, modes });
    for (const padding of ['padme', 'none', [256]] satisfies Padding[]) relay.channel('room', { key, padding });
    // @ts-expect-error: there is no such mode
    relay.channel('room', { key, modes: 'rwp' });
    // @ts-expect-error: in this order
    relay.channel('room', { key, modes: 'wr' });
    // @ts-expect-error: there is no such padding
    relay.channel('room', { key, padding: 'random' });
    // @ts-expect-error: yes or no
    relay.channel('room', { key, echo: 1 });
    // @ts-expect-error: a count
    relay.channel('room', { key, maxUnsent: '10' });
  });
});

describe('a channel', () => {
  it('publishes bytes and text', () => {
    expectTypeOf(channel.publish('text')).toEqualTypeOf<Promise<void>>();
    channel.publish(new Uint8Array(1), { envelope: new Uint8Array(1) });
    // @ts-expect-error: objects are the app's to write as text
    channel.publish({ text: 'hello' });
    // @ts-expect-error: an envelope is bytes
    channel.publish('text', { envelope: 'text' });
    // @ts-expect-error: misspelt
    channel.publish('text', { envelop: new Uint8Array(1) });
  });

  it('is looped over', async () => {
    for await (const message of channel) expectTypeOf(message).toEqualTypeOf<Message>();
    expectTypeOf<Message>().toExtend<{
      readonly data: Uint8Array;
      readonly text: string;
      readonly seq: number;
      readonly sender: number;
      readonly envelope: Uint8Array | null;
    }>();
  });

  it('tells each event with its own payload', () => {
    channel.on('message', (message) => expectTypeOf(message).toEqualTypeOf<Message>());
    channel.on('loss', ({ count, cause }) => {
      expectTypeOf(count).toEqualTypeOf<number | null>();
      expectTypeOf(cause).toEqualTypeOf<'slow_reader' | 'reconnect' | 'detached' | 'slow_app' | 'withheld'>();
    });
    channel.on('refused', (refused) => {
      expectTypeOf(refused).toEqualTypeOf<ChannelEvents['refused']>();
      expectTypeOf(refused).toExtend<{ readonly reason: OpenRefusal; readonly seq: number; readonly sender: number }>();
      // @ts-expect-error: what did not decrypt has no data
      refused.data;
    });
    channel.on('error', ({ code, status }) => {
      expectTypeOf(code).toExtend<string>();
      expectTypeOf(status).toEqualTypeOf<number | undefined>();
    });
  });

  it('refuses events that there are not, and listeners for another payload', () => {
    // @ts-expect-error: the relay tells that
    channel.on('closed', () => {});
    // @ts-expect-error: nobody may know how many
    channel.on('loss', ({ count }: { count: number }) => count);
    // @ts-expect-error: of another event
    channel.on('message', ({ reason }: { reason: OpenRefusal }) => reason);
  });

  it('keeps its name, and can be left', () => {
    expectTypeOf(channel.name).toEqualTypeOf<string>();
    expectTypeOf(channel.presence).toEqualTypeOf<Presence>();
    expectTypeOf(channel.detach()).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error: it is read only
    channel.name = 'other';
  });
});

describe('presence', () => {
  it('tells members and counts', () => {
    expectTypeOf<PresenceEvents['join']>().toEqualTypeOf<Member>();
    for (const event of ['join', 'update', 'leave'] as const) {
      presence.on(event, (member) => expectTypeOf(member).toEqualTypeOf<Member>());
    }
    presence.on('count', (count) => expectTypeOf(count).toEqualTypeOf<number>());
    expectTypeOf(presence.members).toEqualTypeOf<readonly Member[]>();
    // @ts-expect-error: there is no such event
    presence.on('enter', () => {});
    // @ts-expect-error: a count is no member
    presence.on('count', ({ sender }: Member) => sender);
  });

  it('takes what members say of themselves as bytes or text', () => {
    expectTypeOf(presence.enter('alice')).toEqualTypeOf<Promise<void>>();
    presence.enter(new Uint8Array(1));
    expectTypeOf(presence.leave()).toEqualTypeOf<Promise<void>>();
    // @ts-expect-error: objects are the app's to write as text
    presence.enter({ name: 'alice' });
  });
});

describe('keys', () => {
  it('are made by the functions of ChannelKey', () => {
    expectTypeOf(ChannelKey.random()).toEqualTypeOf<ChannelKey>();
    expectTypeOf(ChannelKey.fromBytes(new Uint8Array(32))).toEqualTypeOf<ChannelKey>();
    expectTypeOf(ChannelKey.fromPassphrase('…', { salt: new Uint8Array(16) })).resolves.toEqualTypeOf<ChannelKey>();
    expectTypeOf(key.toBytes()).toEqualTypeOf<Uint8Array>();
    // @ts-expect-error: they have no public constructor
    new ChannelKey(new Uint8Array(32));
    // @ts-expect-error: nor another shape: an object that looks like a key is none
    expectTypeOf<Pick<ChannelKey, keyof ChannelKey>>().toExtend<ChannelKey>();
    // @ts-expect-error: bytes, not their text
    ChannelKey.fromBytes('AAAA');
    // @ts-expect-error: a passphrase needs a salt
    ChannelKey.fromPassphrase('correct horse battery');
  });

  it('take WebCrypto where there is none', () => {
    expectTypeOf(setCrypto).returns.toEqualTypeOf<void>();
    setCrypto({} as typeof webcrypto);
    // @ts-expect-error: random numbers are needed as well
    setCrypto({ subtle: {} as typeof webcrypto.subtle });
  });

  it('rotate in a ring', () => {
    expectTypeOf(ring.prepare(key)).toEqualTypeOf<number>();
    expectTypeOf(ring.rotate(key, { graceMs: 1, generation: 2 })).toEqualTypeOf<number>();
    expectTypeOf(new KeyRing(key, { generation: 3 }).generation).toEqualTypeOf<number>();
    // @ts-expect-error: misspelt
    ring.rotate(key, { grace: 1 });
    // @ts-expect-error: what is prepared has no grace
    ring.prepare(key, { graceMs: 1 });
    // @ts-expect-error: the generation changes by rotation
    ring.generation = 1;
  });

  it('hide names', () => {
    expectTypeOf(blindName(new Uint8Array(32), 'room')).toEqualTypeOf<Promise<string>>();
    // @ts-expect-error: a channel key is never a blind key
    blindName(key, 'room');
  });
});

describe('errors', () => {
  it('have codes', () => {
    expectTypeOf<MayflyError>().toExtend<Error>();
    expectTypeOf<MayflyError['closeCode']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<'not_connected'>().toExtend<MayflyError['code']>();
    expectTypeOf<EncryptionError>().toExtend<Error>();
    expectTypeOf<'bad_key'>().toExtend<EncryptionError['code']>();
    // @ts-expect-error: it is one of the list
    expectTypeOf<'bad_luck'>().toExtend<EncryptionError['code']>();
    // @ts-expect-error: a code is constant
    new MayflyError('closed', '').code = 'other';
  });
});

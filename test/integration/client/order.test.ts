import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelKey } from '../../../src/client/node.ts';
import { type Carried, ManInTheMiddle, until } from './support.ts';

/** Lets no decryption end until `open`. */
function holdDecryption(): { open: () => void } {
  const real = crypto.subtle.decrypt.bind(crypto.subtle);
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  vi.spyOn(crypto.subtle, 'decrypt').mockImplementation(async (...args) => {
    const result = real(...args);
    await gate;
    return result;
  });
  return { open };
}

describe('what the relay says waits for what came before it and is still being decrypted:', () => {
  const key = ChannelKey.random();
  const can = { room: 'rwp' };
  let middle: ManInTheMiddle;
  beforeEach(async () => {
    middle = await ManInTheMiddle.start();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await middle.stop();
  });

  /** Alice and Bob in a room; from now on what is for Bob waits in `tap`. */
  async function setUp() {
    const [alice, tapOfAlice] = await middle.join('alice', can);
    const [bob, tap] = await middle.join('bob', can);
    const hers = await alice.channel('room', { key, presence: true });
    const his = await bob.channel('room', { key, presence: true });
    await alice.flush();
    await bob.flush();
    const log: string[] = [];
    his.on('message', ({ text }) => log.push(text));
    his.on('loss', ({ count }) => log.push(`${count} lost`));
    his.on('detached', ({ code }) => log.push(code));
    for (const event of ['join', 'leave'] as const) his.presence.on(event, ({ text }) => log.push(`${event} ${text}`));
    tap.isHolding = true;
    const catchNext = async (): Promise<Carried> => (await tap.take(1))[0] as Carried;
    return { alice, tapOfAlice, bob, tap, hers, his, log, catchNext };
  }

  it('who enters and is gone at once has joined and left, and is no ghost', async () => {
    const { alice, bob, tap, hers, his, log, catchNext } = await setUp();
    await hers.presence.enter('alice');
    const here = await catchNext();
    tap.inject(here, [23, here.channelId, alice.sender]);
    await until(() => log).toEqual(['join alice', 'leave alice']);
    await bob.flush();
    expect(his.presence.members).toEqual([]);
  });

  it('nobody is listed twice who came back while this connection did too', async () => {
    const { alice, tapOfAlice, bob, tap, hers, his, log, catchNext } = await setUp();
    await hers.presence.enter('alice');
    const here = await catchNext();
    const { open } = holdDecryption();
    tap.inject(here);
    await until(() => vi.mocked(crypto.subtle.decrypt).mock.calls.length).toBeGreaterThan(0);
    await tapOfAlice.cut(alice);
    await tap.cut(bob);
    open();
    const changes = (): string[] => log.filter((line) => !line.endsWith('lost'));
    await until(changes).toEqual(['join alice', 'leave alice', 'join alice']);
    expect(his.presence.members.map(({ sender, text }) => [sender, text])).toEqual([[alice.sender, 'alice']]);
  });

  it('an attachment that the relay ends has ended behind the last message', async () => {
    const { tap, hers, his, log, catchNext } = await setUp();
    await hers.presence.enter('alice');
    const here = await catchNext();
    await hers.publish('the last one');
    const last = await catchNext();
    tap.inject(here, last, [22, here.channelId, last.seq + 2, 1], [18, null, here.channelId, 403, 'forbidden']);
    await until(() => log).toEqual(['join alice', 'the last one', '2 lost', 'leave alice', 'forbidden']);
    expect(his.presence.members).toEqual([]);
  });
});

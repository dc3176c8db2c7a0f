import { afterEach, describe, expect, it } from 'vitest';
import { ChannelKey, type ChannelOptions, KeyRing } from '../../../src/client/node.ts';
import type { TestRelayOptions } from '../../support/relay.ts';
import { type Carried, listenTo, ManInTheMiddle, until } from './support.ts';

type Lie = (frame: Carried) => readonly Carried[];

/** Numbers what is left as if it were all there is. */
function renumbering(lie: Lie): Lie {
  let seq: number | undefined;
  return (frame) =>
    lie(frame).map((one) => {
      seq = seq === undefined ? frame.seq : seq + 1;
      return { ...one, seq };
    });
}

/** Keeps back the frames that come as the given ones, from 0. */
function keeping(...places: readonly number[]): Lie {
  let came = 0;
  return (frame) => (places.includes(came++) ? [] : [frame]);
}

/** Keeps back one frame of each sender, the `place`-th. */
function keepingOf(place: number): Lie {
  const came = new Map<number, number>();
  return (frame) => {
    const before = came.get(frame.sender) ?? 0;
    came.set(frame.sender, before + 1);
    return before === place ? [] : [frame];
  };
}

describe('where somebody stands in the place of the relay', () => {
  const key = ChannelKey.random();
  let middle: ManInTheMiddle;
  afterEach(() => middle.stop());

  /** Alice writes, and Bob reads what `tap` lets through. */
  async function setUp(options: Partial<ChannelOptions> = {}, limits: TestRelayOptions = {}) {
    middle = await ManInTheMiddle.start(limits);
    const join = (sub: string) => middle.join(sub, { '>': 'rwp' });
    const [[alice, tapOfAlice], [bob, tap]] = [await join('alice'), await join('bob')];
    const writing = await alice.channel('room', { key: options.key ?? key });
    const reading = await bob.channel('room', { key, ...options } as ChannelOptions);
    const heard = listenTo(reading);
    const say = async (...texts: readonly (string | number)[]): Promise<void> => {
      for (const text of texts) await writing.publish(`${text}`);
    };
    /** Keeps back one of the next messages, and expects that one to be told as withheld, and nothing else. */
    const keepOneBack = async (current = tap): Promise<void> => {
      const told = heard.losses.length;
      current.tamper = renumbering(keeping(1));
      await say('seen', 'kept back', 'seen too');
      await until(() => heard.losses.slice(told)).toEqual([withheld(alice.sender, 1)]);
    };
    return { alice, tapOfAlice, bob, tap, writing, reading, heard, say, keepOneBack, join };
  }

  const withheld = (sender: number, count: number) => ({
    channel: 'room',
    cause: 'withheld',
    sender,
    count,
    firstSeq: null,
    lastSeq: null,
  });

  it('what is kept back is told, exactly and by sender, though the numbers show no hole', async () => {
    const { alice, tap, heard, say } = await setUp();
    tap.tamper = renumbering(keeping(3, 5, 6));
    await say(0, 1, 2, 3, 4, 5, 6, 7, 8);
    await until(() => heard.losses).toEqual([withheld(alice.sender, 3)]);
    expect(heard.texts).toEqual(['0', '1', '2', '4', '7', '8']);
  });

  it('it is told as well when the numbers show a hole that no HEAD speaks of, also to who writes a lot', async () => {
    const { alice, tap, heard, reading, say } = await setUp();
    tap.tamper = keeping(3);
    for (let i = 0; i < 9; i++) {
      await reading.publish('own');
      await say(i);
    }
    await until(() => heard.losses).toEqual([withheld(alice.sender, 1)]);
  });

  it('it is told of each sender apart, also where it was the last before a rotation', async () => {
    const ring = new KeyRing(key);
    const { alice, tap, heard, say, join } = await setUp({ key: ring });
    const [carol] = await join('carol');
    const hers = await carol.channel('room', { key: ring });
    const keepThird = keepingOf(2);
    tap.tamper = renumbering(keepThird);
    for (let i = 0; i < 3; i++) await hers.publish(`carol ${i}`);
    for (let i = 0; i < 5; i++) await say(`alice ${i}`);
    await carol.flush();
    ring.rotate(ChannelKey.random());
    await hers.publish('carol 3');
    await until(() => heard.losses.length).toBe(2);
    expect(heard.losses).toEqual(expect.arrayContaining([withheld(carol.sender, 1), withheld(alice.sender, 1)]));
    expect([...heard.texts].sort()).toEqual([
      'alice 0',
      'alice 1',
      'alice 3',
      'alice 4',
      'carol 0',
      'carol 1',
      'carol 3',
    ]);
  });

  it.each([
    ['delivers frames twice', (frame: Carried) => [frame, frame], Array.from('0123456')],
    ['delivers them in another order', swapping(), ['1', '0', '3', '2', '5', '4']],
  ])('one that %s, and keeps none, is not said to', async (_, lie, texts) => {
    const { alice, bob, tap, heard, say } = await setUp();
    tap.tamper = renumbering(lie);
    await say(...Array.from('0123456'));
    await until(() => heard.texts).toEqual(texts);
    await alice.flush();
    await bob.flush();
    expect(heard.losses).toEqual([]);
  });

  it('what the relay refused is not said to be withheld, and what was withheld beside it is told exactly', async () => {
    const { writing, say, alice, keepOneBack } = await setUp({}, { tenantLimits: { framesPerSecond: 50 } });
    const refused: string[] = [];
    writing.on('error', ({ code }) => refused.push(code));
    for (let i = 0; i < 150; i++) writing.publish(`${i}`);
    await alice.flush();
    expect(refused.length).toBeGreaterThan(10);
    const tryAgain = async (): Promise<number> => {
      const before = refused.length;
      await say('again', 'again', 'again');
      await alice.flush();
      return refused.length - before;
    };
    await expect.poll(tryAgain, { timeout: 15_000, interval: 200 }).toBe(0);
    await expect(writing.publish(new Uint8Array(70_000))).rejects.toMatchObject({ code: 'frame_too_large' });
    await keepOneBack();
  });

  it('what was skipped for a slow reader is told as that alone, and what is withheld later as that', async () => {
    const limits = { maxBufferedBytes: 200_000, slowConsumerTimeoutMs: 60_000, bytesPerSecond: 1e9 };
    const { alice, tap, heard, writing, keepOneBack } = await setUp({}, { limits });
    await writing.publish('first');
    await until(() => heard.texts).toEqual(['first']);
    tap.isStanding = true;
    const large = 'x'.repeat(40_000);
    for (let i = 0; i < 400; i++) await writing.publish(large);
    await alice.flush();
    tap.isStanding = false;
    await until(() => heard.losses.length).toBeGreaterThan(0);
    await writing.publish('last');
    await until(() => heard.texts.at(-1)).toBe('last');
    await until(() => heard.texts.length + total(heard.losses)).toBe(402);
    expect(new Set(heard.losses.map(({ cause }) => cause))).toEqual(new Set(['slow_reader']));
    await keepOneBack();
  });

  it('what was missed while this connection or the other was away is told as that alone', async () => {
    const { alice, tapOfAlice, bob, tap, heard, say, keepOneBack } = await setUp();
    await say(0, 1);
    await until(() => heard.texts).toEqual(['0', '1']);
    tap.isHolding = true;
    await say(2, 3);
    await tap.take(2); // lost on the way
    await tap.cut(bob);
    const tapOfBob = middle.latest;
    await say(4);
    await until(() => heard.texts.at(-1)).toBe('4');
    await tapOfAlice.cut(alice);
    await say(5);
    await until(() => heard.texts.at(-1)).toBe('5');
    expect(heard.losses).toMatchObject([{ cause: 'reconnect', count: 2 }]);
    await keepOneBack(tapOfBob);
  });
});

/** Every second frame goes ahead of the one before it. */
function swapping(): Lie {
  let kept: Carried | null = null;
  return (frame) => {
    const before = kept;
    kept = before === null ? frame : null;
    return before === null ? [] : [frame, before];
  };
}

function total(losses: readonly { readonly count: number | null }[]): number {
  return losses.reduce((sum, { count }) => sum + (count ?? Number.NaN), 0);
}

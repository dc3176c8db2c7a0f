import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MayflyError, notConnected } from '../../../src/client/errors.ts';
import type { Place } from '../../../src/client/members.ts';
import { Presence, type PresencePorts } from '../../../src/client/presence.ts';

const OWN_SENDER = 1;
const MINUTE_MS = 60_000;
const tooLarge = (): MayflyError => new MayflyError('frame_too_large', '70,000 bytes');
const forbidden = (): MayflyError => new MayflyError('forbidden', 'the relay ended the attachment');

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Presence whose words are read as text (their first byte as a number), and what it tells. */
function setUp(ports: Partial<PresencePorts> = {}) {
  const sent: string[] = [];
  const errors: string[] = [];
  const log: string[] = [];
  const presence = new Presence({
    send: async (data) => {
      sent.push(`${data[0]}${Buffer.from(data.subarray(1))}`);
    },
    onError: ({ code }) => errors.push(code),
    ...ports,
  });
  for (const event of ['join', 'update', 'leave'] as const)
    presence.on(event, ({ text }) => log.push(`${event} ${text}`));
  const ctrs = new Map<number, number>();
  /** Takes a word of somebody, sealed behind all it said before unless `place` says otherwise. */
  const say = (sender: number, word: number, text = '', place: Partial<Place> = {}): void => {
    const { kid = BigInt(sender), ctr = (ctrs.get(sender) ?? -1) + 1 } = place;
    ctrs.set(sender, Math.max(ctr, ctrs.get(sender) ?? 0));
    presence.receive(sender, Uint8Array.of(word, ...Buffer.from(text)), { kid, ctr });
  };
  const names = (): string[] => presence.members.map(({ text }) => text);
  return { presence, sent, errors, log, say, names };
}

const [HERE, GONE, WHO, PROVE, ALIVE] = [1, 2, 3, 4, 5];

describe('Presence', () => {
  it('leaves no timer behind when a listener ends it', () => {
    const { presence } = setUp();
    presence.on('occupancy', () => presence.end());
    presence.begin(2, OWN_SENDER);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('stops listening when a signal says so', () => {
    const { presence, say } = setUp();
    const stop = new AbortController();
    const joined: number[] = [];
    presence.on('join', ({ sender }) => joined.push(sender), { signal: stop.signal });
    presence.begin(1, OWN_SENDER);
    say(7, HERE);
    stop.abort();
    say(8, HERE);
    expect(joined).toEqual([7]);
  });

  it('leaves none either when that is in the middle of a heartbeat', () => {
    const { presence, say } = setUp();
    presence.begin(1, OWN_SENDER);
    say(7, HERE, 'B');
    presence.on('leave', () => presence.end());
    vi.advanceTimersByTime(100_000);
    expect([presence.members, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('repeats what it said of itself, and takes who is silent for gone', async () => {
    const { presence, sent, say } = setUp();
    presence.begin(1, OWN_SENDER);
    await presence.enter('A');
    say(7, HERE, 'B');
    vi.advanceTimersByTime(MINUTE_MS);
    expect(sent).toEqual(['3', '1A', '1A', '1A']); // WHO, HERE, and two heartbeats
    expect(presence.members.map(({ sender, text }) => [sender, text])).toEqual([[7, 'B']]);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(presence.members).toEqual([]);
    presence.end();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([10 * MINUTE_MS, -10 * MINUTE_MS])('has nobody leave or stay because the clock is set by %d ms', (stepMs) => {
    const { presence, say, log } = setUp();
    presence.begin(1, OWN_SENDER);
    say(7, HERE, 'B');
    vi.setSystemTime(Date.now() + stepMs);
    vi.advanceTimersByTime(30_000);
    expect(log).toEqual(['join B']);
    vi.advanceTimersByTime(MINUTE_MS);
    expect(log).toEqual(['join B', 'leave B']);
  });
});

describe('what rejects changes nothing:', () => {
  it('enter with too much', async () => {
    let fail: (() => MayflyError) | undefined;
    const sent: string[] = [];
    const { presence } = setUp({
      send: async (data) => {
        if (fail !== undefined && data.length > 10) throw fail();
        sent.push(`${data[0]}${Buffer.from(data.subarray(1))}`);
      },
    });
    presence.begin(1, OWN_SENDER);
    fail = tooLarge;
    await expect(presence.enter('x'.repeat(70_000))).rejects.toMatchObject({ code: 'frame_too_large' });
    expect(presence.count).toBe(0);
    await presence.enter('alice');
    await expect(presence.enter('x'.repeat(70_000))).rejects.toMatchObject({ code: 'frame_too_large' });
    const twice = [presence.enter('y'.repeat(70_000)), presence.enter('z'.repeat(70_000))];
    for (const entering of twice) await expect(entering).rejects.toMatchObject({ code: 'frame_too_large' });
    vi.advanceTimersByTime(MINUTE_MS);
    expect(sent).toEqual(['3', '1alice', '1alice', '1alice']);
    expect(presence.count).toBe(1);
  });

  it('enter and leave where nothing can be sent', async () => {
    let why: MayflyError | undefined;
    const sent: string[] = [];
    const { presence } = setUp({
      send: async (data) => {
        if (why !== undefined) throw why;
        sent.push(`${data[0]}${Buffer.from(data.subarray(1))}`);
      },
    });
    presence.begin(1, OWN_SENDER);
    await presence.enter('alice');
    why = forbidden();
    await expect(presence.enter('bob')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(presence.leave()).rejects.toMatchObject({ code: 'forbidden' });
    why = undefined;
    presence.begin(1, OWN_SENDER);
    expect(sent).toEqual(['3', '1alice', '3', '1alice']);
    why = notConnected();
    await presence.leave(); // the relay's LEFT has told the others
    why = undefined;
    presence.begin(1, OWN_SENDER);
    expect(sent.slice(4)).toEqual(['3']);
  });

  it('and several changes at once take effect in their order, whichever ends first', async () => {
    const waiting: (() => void)[] = [];
    const { presence } = setUp({ send: () => new Promise((resolve) => waiting.push(resolve)) });
    presence.begin(1, OWN_SENDER); // WHO
    const changes = [presence.enter('alice'), presence.leave(), presence.enter('alice again'), presence.leave()];
    vi.advanceTimersByTime(30_000); // a heartbeat, which waits for them
    expect(waiting).toHaveLength(5);
    for (const settle of waiting.reverse()) settle();
    await Promise.all(changes);
    expect(presence.count).toBe(0);
    await vi.advanceTimersByTimeAsync(MINUTE_MS);
    expect(waiting).toHaveLength(5);
  });

  it('and what was changed while a connection came is told on it', async () => {
    let isAway = true;
    const { presence, sent } = setUp({
      send: async (data) => {
        await Promise.resolve();
        if (isAway) throw notConnected();
        sent.push(`${data[0]}${Buffer.from(data.subarray(1))}`);
      },
    });
    const entering = presence.enter('alice');
    presence.begin(1, OWN_SENDER); // before the sending has failed
    await entering;
    isAway = false;
    presence.begin(2, OWN_SENDER);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['3', '1alice']);
  });

  it('and what was taken without a connection and is too large for the next is told, and what was told before it stays', async () => {
    let why: ((data: Uint8Array) => MayflyError | undefined) | undefined;
    const sent: string[] = [];
    const { presence, errors } = setUp({
      onError: ({ code }) => errors.push(code),
      send: async (data) => {
        const error = why?.(data);
        if (error !== undefined) throw error;
        sent.push(`${data[0]}${Buffer.from(data.subarray(1))}`);
      },
    });
    presence.begin(1, OWN_SENDER);
    await presence.enter('alice');
    why = notConnected;
    await presence.enter('x'.repeat(70_000));
    why = (data) => (data.length > 10 ? tooLarge() : undefined);
    presence.begin(1, OWN_SENDER);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual(['3', '1alice', '3', '1alice']);
    expect(presence.count).toBe(1);
  });
});

describe('who is there is what members say, not what the relay says:', () => {
  it('counts those who entered, and knows the number of the relay for a hint', async () => {
    const { presence, say } = setUp();
    const counts: number[] = [];
    presence.on('count', (count) => counts.push(count));
    presence.begin(1000, OWN_SENDER);
    presence.counted(2 ** 31);
    say(7, HERE, 'B');
    await presence.enter('A');
    say(8, HERE, 'C');
    say(7, GONE);
    await presence.leave();
    expect([presence.count, counts, presence.occupancy]).toEqual([1, [1, 2, 3, 2, 1], 2 ** 31]);
  });

  it('keeps its pace whatever the relay counts', () => {
    const { presence, say, names } = setUp();
    presence.begin(1, OWN_SENDER);
    presence.counted(10_000);
    say(7, HERE, 'B');
    vi.advanceTimersByTime(90_000);
    expect(names()).toEqual([]);
  });

  it('has who left by the word of the relay back only with an answer to a question', () => {
    const { presence, sent, log, say } = setUp();
    presence.begin(2, OWN_SENDER);
    say(7, HERE, 'B');
    presence.left(7);
    say(7, HERE, 'B, late');
    say(7, HERE, 'B, later');
    vi.advanceTimersByTime(1000);
    const [, question] = sent;
    expect(question).toMatch(/^47 [0-9a-f]{16}$/);
    expect(sent).toHaveLength(2); // one question, however much comes
    say(7, ALIVE, '0123456789abcdef');
    say(8, ALIVE, question?.slice(3)); // another's answer is none
    expect(log).toEqual(['join B', 'leave B']);
    say(7, ALIVE, `0123456789abcdef ${question?.slice(3)}`);
    expect(log).toEqual(['join B', 'leave B', 'join B, later']);
    say(7, ALIVE, question?.slice(3));
    expect(presence.count).toBe(1);
  });

  it('has who proved the relay wrong stay, however often the relay says again that it left', () => {
    const { presence, sent, log, say } = setUp();
    presence.begin(1, OWN_SENDER);
    say(7, HERE, 'A');
    presence.left(7);
    say(7, HERE, 'A');
    vi.advanceTimersByTime(0);
    presence.left(7); // while the question is open
    const question = sent.at(-1)?.split(' ')[1] ?? '';
    say(7, ALIVE, question);
    for (let i = 0; i < 10; i++) {
      presence.left(7);
      say(7, HERE, 'A');
    }
    expect(log).toEqual(['join A', 'leave A', 'join A']);
    say(7, GONE);
    expect(log.at(-1)).toBe('leave A');
  });

  it.each([
    ['was silent for a while, and was there all the same', () => vi.advanceTimersByTime(2 * MINUTE_MS), 7n],
    ['left, and came back', (left: () => void) => left(), 8n],
  ])('believes the relay about who %s', (_, go, kid) => {
    const { presence, sent, log, say } = setUp();
    presence.begin(1, OWN_SENDER);
    say(7, HERE, 'A');
    go(() => presence.left(7));
    say(7, HERE, 'A', { kid });
    vi.advanceTimersByTime(0);
    say(7, ALIVE, sent.findLast((word) => word.startsWith('47 '))?.split(' ')[1]);
    presence.left(7);
    expect(log).toEqual(['join A', 'leave A', 'join A', 'leave A']);
  });

  it('has nobody join by what was said before it left, whether the relay or a member said that', () => {
    const { presence, log, say } = setUp();
    presence.begin(2, OWN_SENDER);
    presence.left(7); // of nobody that is known
    say(7, HERE, 'a ghost');
    say(8, GONE, '', { ctr: 5 });
    say(8, HERE, 'a ghost', { ctr: 4 });
    expect([log, presence.count]).toEqual([[], 0]);
    say(8, HERE, 'C', { ctr: 6 });
    expect(log).toEqual(['join C']);
    say(8, GONE, '', { ctr: 3 });
    say(8, HERE, 'C of before', { ctr: 4 });
    expect(log).toEqual(['join C']);
  });

  it('asks who was gone once in a while, not each time it is heard, and never lists it without an answer', () => {
    const { presence, sent, say, names } = setUp();
    presence.begin(2, OWN_SENDER);
    say(7, HERE, 'B');
    presence.left(7);
    for (let i = 0; i < 100; i++) {
      say(7, HERE, 'B');
      vi.advanceTimersByTime(500);
    }
    expect(sent.filter((word) => word.startsWith(`${PROVE}`)).length).toBeLessThanOrEqual(5);
    expect(names()).toEqual([]);
  });

  it('answers questions to itself, together, and none to others or when it has not entered', async () => {
    const { presence, sent, say } = setUp();
    presence.begin(2, OWN_SENDER);
    say(7, PROVE, `${OWN_SENDER} aaaaaaaaaaaaaaaa`);
    await presence.enter('A');
    sent.length = 0;
    for (let i = 0; i < 200; i++) say(7 + i, PROVE, `${OWN_SENDER} ${i}`);
    say(7, PROVE, '7 bbbbbbbbbbbbbbbb');
    vi.advanceTimersByTime(1000);
    expect(sent).toEqual([`${ALIVE}${Array.from({ length: 64 }, (_, i) => i).join(' ')}`]);
  });

  it('says WHO once a second at most, however many HEADs the relay sends', () => {
    const { presence, sent } = setUp();
    presence.begin(2, OWN_SENDER);
    for (let i = 0; i < 1000; i++) {
      presence.ask();
      vi.advanceTimersByTime(5);
    }
    expect(sent.filter((word) => word === `${WHO}`).length).toBeLessThanOrEqual(6);
    expect(sent.length).toBeGreaterThan(4);
  });

  it('lists 10,000 members at most, and remembers the 4,096 who left last', () => {
    const { presence, say } = setUp();
    presence.begin(2, OWN_SENDER);
    for (let sender = 10; sender < 10_110; sender++) say(sender, HERE, 'X');
    expect(presence.members).toHaveLength(10_000);
    for (let sender = 10; sender < 10_110; sender++) presence.left(sender);
    for (const sender of [10_109, 10_109 - 4095, 10_109 - 4096]) say(sender, HERE, `${sender}`);
    expect(presence.members.map(({ text }) => text)).toEqual([`${10_109 - 4096}`]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Account } from '../../../src/client/account.ts';
import { Counting } from '../../../src/client/counting.ts';
import { ReplayWindow } from '../../../src/client/crypto/replay-window.ts';
import type { Link } from '../../../src/client/link.ts';

const OWN = 1;
const [ASK, COUNT] = [6, 7];

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A channel's counting on a connection whose relay answers at once, and has skipped nothing it has not spoken of. */
function setUp({ isReader = false } = {}) {
  const account = new Account();
  const sent: string[] = [];
  const told: [string, number, number][] = [];
  const counting = new Counting({
    account: isReader ? null : account,
    send: async (data) => {
      sent.push(`${data[0]} ${Buffer.from(data.subarray(1))}`);
    },
    behind: (act) => act(),
    tell: (...what) => told.push(what),
  });
  const link = { sender: OWN, ping: async (onAnswer?: () => void) => onAnswer?.(), caughtUp: async () => {} };
  counting.begin(link as Partial<Link> as Link, 1);
  const windows = new Map<string, ReplayWindow>();
  const open = (sender: number, ctr: number, kid = 7n, channel = 'room'): void => {
    const id = `${channel} ${sender} ${kid}`;
    const window = windows.get(id) ?? new ReplayWindow();
    windows.set(id, window);
    window.accept(ctr);
    counting.opened(channel, sender, { kid, ctr }, window);
  };
  const say = (sender: number, word: number, text: string): void =>
    counting.receive('room', sender, Uint8Array.of(word, ...Buffer.from(text)));
  const seal = (count: number, kid = 9n): void => {
    for (let i = 0; i < count; i++) account.seals({ kid, ctr: next++ });
    counting.sealed();
  };
  let next = 0;
  return { account, counting, sent, told, open, say, seal, forget: () => windows.clear() };
}

describe('a receiver', () => {
  it('asks about a hole that nothing explains, four times at most, and tells nothing without an answer', async () => {
    const { sent, told, open } = setUp();
    for (const ctr of [0, 1, 3]) open(5, ctr);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent).toEqual([`${ASK} 5 7`, `${ASK} 5 7`, `${ASK} 5 7`, `${ASK} 5 7`]);
    expect(told).toEqual([]);
  });

  it('asks no more where nobody answered, whatever comes later of one who never does', async () => {
    const { sent, told, open } = setUp();
    for (let ctr = 0; ctr < 300; ctr++) {
      if (ctr % 10 !== 1) open(5, ctr);
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(sent).toHaveLength(4);
    expect(told).toEqual([]);
  });

  it('asks one who answers about each hole anew', async () => {
    const { sent, told, open, say } = setUp();
    open(5, 0);
    for (let ctr = 2; ctr < 20; ctr += 2) {
      open(5, ctr);
      await vi.advanceTimersByTimeAsync(1000);
      say(5, COUNT, `7 ${ctr} 0`);
      await vi.advanceTimersByTimeAsync(60_000);
    }
    expect(sent).toEqual(new Array(9).fill(`${ASK} 5 7`));
    expect(told).toEqual(new Array(9).fill(['room', 5, 1]));
  });

  it('counts anew where the counters of a KID were forgotten meanwhile', async () => {
    const { counting, told, open, say, forget } = setUp();
    for (const ctr of [0, 3]) open(5, ctr);
    counting.lost('room', 2);
    forget();
    open(5, 1000);
    say(5, COUNT, '7 1001 0');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([]);
    open(5, 1002);
    say(5, COUNT, '7 1003 0');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(told).toEqual([['room', 5, 1]]);
  });

  it('asks nothing of a hole that a loss or a refusal explains by then', async () => {
    const { counting, sent, open } = setUp();
    for (const ctr of [0, 2]) open(5, ctr);
    counting.lost('room', 1);
    open(6, 0);
    counting.refused('room', 6, { kid: 7n, ctr: 1 });
    open(6, 2);
    open(0, 0); // over HTTP: there is nobody to ask
    open(0, 2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual([]);
  });

  it('tells what the sender knows to be accepted and did not come, once', async () => {
    const { told, open, say } = setUp();
    for (const ctr of [0, 1, 3, 7]) open(5, ctr);
    say(5, COUNT, '7 8 1');
    say(5, COUNT, '7 8 1');
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([['room', 5, 3]]);
    open(5, 9);
    say(5, COUNT, '7 12 2');
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([
      ['room', 5, 3],
      ['room', 5, 2],
    ]);
  });

  it('believes no word of one sender about another, nor one that makes no sense', async () => {
    const { told, open, say } = setUp();
    for (const ctr of [0, 1, 3]) open(5, ctr);
    say(6, COUNT, '7 1000000 0');
    for (const text of ['', '7', '7 4', '7 x 0', '7 4 x', '7 4 -1', '7 1e999 0', '8 4 0', 'x 4 0', '7 -4 0'])
      say(5, COUNT, text);
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([]);
  });

  it('does not let a loss of others explain a later hole, nor forget an earlier one', async () => {
    const { counting, told, open, say } = setUp();
    open(5, 0);
    counting.lost('room', 10);
    open(5, 1);
    open(5, 3);
    say(5, COUNT, '7 4 0');
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toEqual([['room', 5, 1]]);
    counting.lost('room', null);
    open(5, 9);
    say(5, COUNT, '7 10 0');
    await vi.advanceTimersByTimeAsync(0);
    expect(told).toHaveLength(1);
  });

  it('is bounded in what it asks of many senders with holes', async () => {
    const { sent, open } = setUp();
    for (let sender = 2; sender < 1000; sender++) for (const ctr of [0, 2]) open(sender, ctr);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(sent.length).toBeLessThanOrEqual(64 * 4);
  });

  it('that only reads asks nobody, and hears the answers all the same', async () => {
    const { sent, told, open, say } = setUp({ isReader: true });
    for (const ctr of [0, 2]) open(5, ctr);
    say(5, COUNT, '7 3 0');
    await vi.advanceTimersByTimeAsync(60_000);
    expect([sent, told]).toEqual([[], [['room', 5, 1]]]);
  });
});

describe('a sender', () => {
  it('states what the relay did not take when it is asked, once a second at most', async () => {
    const { account, sent, say, seal } = setUp();
    seal(5);
    account.refused();
    account.unsent({ kid: 9n, ctr: 4 });
    for (let i = 0; i < 100; i++) {
      say(5, ASK, `${OWN} 9`);
      await vi.advanceTimersByTimeAsync(50);
    }
    expect(sent[0]).toBe(`${COUNT} 9 5 2`);
    expect(sent.length).toBeLessThanOrEqual(6);
  });

  it('answers nothing that is asked of others, or of KIDs it does not have', async () => {
    const { sent, say, seal } = setUp();
    seal(5);
    for (const text of [`5 9`, `${OWN} 8`, '', `${OWN}`, `${OWN} x`]) say(5, ASK, text);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual([]);
  });

  it('states unasked after 64 frames, twice a minute at most, and soon after a KID is over', async () => {
    const { sent, seal } = setUp();
    seal(63);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sent).toEqual([]);
    seal(1);
    await vi.advanceTimersByTimeAsync(0);
    expect(sent).toEqual([`${COUNT} 9 64 0`]);
    for (let i = 0; i < 120; i++) {
      seal(100);
      await vi.advanceTimersByTimeAsync(500);
    }
    expect(sent.length).toBeLessThanOrEqual(4);
    sent.length = 0;
    seal(1);
    seal(1, 10n);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sent).toHaveLength(1);
  });

  it('leaves no timer behind', () => {
    const { counting, open, seal } = setUp();
    seal(100);
    for (const ctr of [0, 2]) open(5, ctr);
    counting.end();
    expect(vi.getTimerCount()).toBe(0);
  });
});

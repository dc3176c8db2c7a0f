import { describe, expect, it } from 'vitest';
import { Feeds, type Listener, type MessageFrame } from '../../../src/client/feeds.ts';

const OWN = 1;

/** Somebody who hears the names given, several as a pattern would, and writes down what comes. */
function listener(...names: string[]) {
  const log: string[] = [];
  const hears: Listener = {
    isPattern: names.length > 1,
    sentCount: 0,
    covers: (name) => names.includes(name),
    take: (name, [, , seq]) => log.push(`${name} ${seq}`),
    lose: ({ channel, count, cause, firstSeq, lastSeq }) =>
      log.push(`${channel} lost ${count} of ${firstSeq}-${lastSeq} ${cause}`),
    excuse: () => {},
    headed: () => log.push('headed'),
  };
  return Object.assign(hears, { log });
}

const frame = (channelId: number, seq: number, sender = 2): MessageFrame => [
  4,
  channelId,
  seq,
  sender,
  null,
  new Uint8Array(),
];

describe('Feeds', () => {
  it('hands a frame to everybody who covers its channel, and drops numbers that came before', () => {
    const feeds = new Feeds();
    const [a, both] = [listener('a'), listener('a', 'b')];
    feeds.join(a);
    feeds.open(10, 'a', 0);
    feeds.join(both);
    feeds.open(11, 'b', 4);
    for (const [id, seq] of [
      [10, 1],
      [11, 5],
      [10, 1],
      [11, 4],
      [12, 1],
      [10, 2],
    ] as const)
      feeds.message(frame(id, seq), OWN);
    expect(a.log).toEqual(['a 1', 'a 2']);
    expect(both.log).toEqual(['a 1', 'b 5', 'a 2']);
  });

  it('counts by HEAD what others sent and did not come, each once: docs/PROTOCOL.md, section 8', () => {
    const feeds = new Feeds();
    const a = listener('a');
    feeds.join(a);
    feeds.open(10, 'a', 100);
    feeds.message(frame(10, 101), OWN);
    feeds.message(frame(10, 102, OWN), OWN);
    feeds.head(10, 110, 3); // 10 since the base: 1 of others came, 3 were own
    feeds.message(frame(10, 112), OWN);
    feeds.head(10, 112, 3); // 111 is lost as well
    feeds.head(10, 112, 3);
    expect(a.log).toEqual([
      'a 101',
      'a 102',
      'a lost 6 of 101-110 slow_reader',
      'headed',
      'a 112',
      'a lost 1 of 111-112 slow_reader',
      'headed',
      'headed',
    ]);
  });

  it('begins to count anew at a later ATTACHED or NAMED of the same channel, and keeps what it knows to be old', () => {
    const feeds = new Feeds();
    const a = listener('a');
    feeds.join(a);
    feeds.open(10, 'a', 5);
    feeds.message(frame(10, 7), OWN); // 6 was its own
    feeds.open(10, 'a', 9);
    feeds.message(frame(10, 9), OWN);
    feeds.message(frame(10, 10), OWN);
    feeds.head(10, 12, 1);
    expect(a.log).toEqual(['a 7', 'a 10', 'a lost 1 of 10-12 slow_reader', 'headed']);
  });

  it('tells after a reconnect what was missed: exactly under the same id, nobody knows under another', () => {
    const feeds = new Feeds();
    const both = { ...listener('a', 'b'), sentCount: 2 };
    feeds.join(both);
    feeds.open(10, 'a', 0);
    feeds.open(11, 'b', 0);
    feeds.message(frame(10, 3), OWN);
    feeds.disconnected();
    feeds.join(both);
    feeds.open(10, 'a', 8);
    feeds.open(21, 'b', 0);
    feeds.settled();
    expect(both.log).toEqual(['a 3', 'a lost 5 of 4-8 reconnect', 'b lost null of null-null reconnect']);
  });

  it('tells nothing after a reconnect in which nothing was missed, and nothing to who came later', () => {
    const feeds = new Feeds();
    const [early, late] = [listener('a'), listener('b')];
    feeds.join(early);
    feeds.open(10, 'a', 3);
    feeds.disconnected();
    feeds.join(late);
    feeds.open(12, 'b', 7);
    feeds.join(early);
    feeds.open(10, 'a', 3);
    feeds.settled();
    expect([early.log, late.log]).toEqual([[], []]);
  });

  it('tells that nobody knows of channels that ended while away, and of those that a pattern meets first then', () => {
    const feeds = new Feeds();
    const all = listener('old', 'new', 'newborn');
    feeds.join(all);
    feeds.open(10, 'old', 0);
    feeds.disconnected();
    feeds.join(all);
    feeds.open(12, 'new', 2);
    feeds.open(13, 'newborn', 0);
    feeds.settled();
    feeds.open(14, 'later', 9);
    expect(all.log).toEqual(['new lost null of null-null reconnect', 'old lost null of null-null reconnect']);
  });

  it('remembers what it knew over several reconnects in a row', () => {
    const feeds = new Feeds();
    const both = listener('a', 'b');
    feeds.join(both);
    feeds.open(10, 'a', 1);
    feeds.open(11, 'b', 1);
    feeds.disconnected();
    feeds.join(both);
    feeds.open(10, 'a', 4);
    feeds.disconnected();
    feeds.join(both);
    feeds.open(10, 'a', 6);
    feeds.open(11, 'b', 2);
    feeds.settled();
    expect(both.log).toEqual(['a lost 3 of 2-4 reconnect', 'a lost 2 of 5-6 reconnect', 'b lost 1 of 2-2 reconnect']);
  });

  it('tells each listener what it missed when its own turn to be attached has come', () => {
    const feeds = new Feeds();
    const [early, late] = [listener('a'), listener('a')];
    feeds.join(early);
    feeds.join(late);
    feeds.open(10, 'a', 0);
    feeds.message(frame(10, 1), OWN);
    feeds.disconnected();
    feeds.join(early);
    feeds.open(10, 'a', 3);
    feeds.message(frame(10, 4), OWN);
    feeds.message(frame(10, 5), OWN);
    feeds.join(late);
    feeds.open(10, 'a', 5);
    feeds.message(frame(10, 6), OWN);
    feeds.settled();
    expect(early.log).toEqual(['a 1', 'a lost 2 of 2-3 reconnect', 'a 4', 'a 5', 'a 6']);
    expect(late.log).toEqual(['a 1', 'a lost 4 of 2-5 reconnect', 'a 6']);
  });

  it('forgets who left, and a channel once nobody hears it', () => {
    const feeds = new Feeds();
    const [a, also] = [listener('a'), listener('a')];
    feeds.join(a);
    feeds.join(also);
    feeds.open(10, 'a', 0);
    feeds.leave(a);
    feeds.message(frame(10, 1), OWN);
    feeds.leave(also);
    feeds.message(frame(10, 2), OWN);
    feeds.disconnected();
    feeds.settled();
    expect([a.log, also.log]).toEqual([[], ['a 1']]);
  });

  it('drops the frames of a channel that has ended', () => {
    const feeds = new Feeds();
    const a = listener('a');
    feeds.join(a);
    feeds.open(10, 'a', 0);
    feeds.close(10);
    feeds.message(frame(10, 1), OWN);
    feeds.open(20, 'a', 0);
    feeds.message(frame(20, 1), OWN);
    expect(a.log).toEqual(['a 1']);
  });

  it('tells what was missed while the relay had ended an attachment, when there is another: exactly under the same id', () => {
    const feeds = new Feeds();
    const [same, other, innocent] = [listener('a'), listener('b'), listener('a', 'b')];
    for (const who of [same, other, innocent]) feeds.join(who);
    feeds.open(10, 'a', 0);
    feeds.open(11, 'b', 0);
    for (const who of [same, other]) feeds.detached(who);
    feeds.message(frame(10, 1), OWN);
    feeds.message(frame(10, 2), OWN);
    feeds.message(frame(11, 1), OWN);
    feeds.close(11);
    for (const who of [same, other]) feeds.join(who);
    feeds.open(10, 'a', 2);
    feeds.open(21, 'b', 0);
    feeds.message(frame(10, 3), OWN);
    expect(same.log).toEqual(['a lost 2 of 1-2 detached', 'a 3']);
    expect(other.log).toEqual(['b lost null of null-null detached']);
    expect(innocent.log).toEqual(['a 1', 'a 2', 'b 1', 'a 3']);
  });

  it('remembers what was known when an attachment ended over connections that break meanwhile, and forgets it for who leaves', () => {
    const feeds = new Feeds();
    const [patient, leaves] = [listener('a'), listener('a')];
    for (const who of [patient, leaves]) feeds.join(who);
    feeds.open(10, 'a', 4);
    for (const who of [patient, leaves]) feeds.detached(who);
    feeds.disconnected();
    feeds.settled();
    feeds.leave(leaves);
    for (const who of [patient, leaves]) feeds.join(who);
    feeds.open(10, 'a', 9);
    expect([patient.log, leaves.log]).toEqual([['a lost 5 of 5-9 detached'], []]);
  });

  it('tells a pattern that was detached of channels it has not met again once everything is met, and not before', () => {
    const feeds = new Feeds();
    const pattern = listener('a', 'b', 'c', 'd');
    feeds.join(pattern);
    feeds.open(10, 'a', 1);
    feeds.open(11, 'b', 1);
    feeds.detached(pattern);
    expect(feeds.isSettling).toBe(false);
    feeds.join(pattern);
    feeds.open(10, 'a', 3);
    feeds.open(12, 'c', 7);
    feeds.open(13, 'd', 0);
    expect([feeds.isSettling, pattern.log]).toEqual([
      true,
      ['a lost 2 of 2-3 detached', 'c lost null of null-null detached'],
    ]);
    feeds.settled();
    expect([feeds.isSettling, pattern.log.at(-1)]).toEqual([false, 'b lost null of null-null detached']);
  });

  it('takes no more channels than there is room for from the relay, but those attached by name, and says for whom', () => {
    const feeds = new Feeds(2);
    const [pattern, named] = [listener('a', 'b', 'c', 'd'), listener('c')];
    feeds.join(pattern);
    expect([feeds.named(1, 'a', 0), feeds.named(2, 'b', 0), feeds.named(3, 'c', 0)]).toEqual([true, true, false]);
    expect([feeds.named(1, 'a', 4), feeds.named(4, 'other', 0)]).toEqual([true, true]);
    feeds.join(named);
    feeds.open(9, 'c', 0);
    feeds.message(frame(9, 1), OWN);
    feeds.close(1);
    feeds.close(2);
    expect(feeds.named(5, 'd', 0)).toBe(true);
    feeds.message(frame(5, 1), OWN);
    expect([pattern.log, named.log]).toEqual([['c 1', 'd 1'], ['c 1']]);
  });

  it('remembers no more channels than there is room for over connections that break again and again, and tells the rest', () => {
    const feeds = new Feeds(2);
    const names = Array.from({ length: 10 }, (_, i) => `c${i}`);
    const pattern = listener(...names);
    for (let i = 0; i < 10; i += 2) {
      feeds.join(pattern);
      feeds.named(i, names[i] as string, 0);
      feeds.named(i + 1, names[i + 1] as string, 0);
      feeds.disconnected();
    }
    expect(pattern.log).toEqual(names.slice(0, 8).map((name) => `${name} lost null of null-null reconnect`));
  });

  it('takes no name that is none, and no id for two channels', () => {
    const feeds = new Feeds();
    const all = listener('a', 'b', 'a..b', 'x'.repeat(70_000));
    feeds.join(all);
    feeds.named(1, 'a', 0);
    for (const [id, name] of ['a..b', '', '$a', 'x'.repeat(70_000)].entries()) feeds.named(10 + id, name, 0);
    for (const id of [10, 11, 12, 13]) feeds.message(frame(id, 1), OWN);
    expect(() => feeds.named(1, 'b', 0)).toThrow(TypeError);
    expect(all.log).toEqual([]);
  });

  it('tells the holes that no HEAD explains any more when the connection breaks, as far as they cannot be own frames', () => {
    const feeds = new Feeds();
    const reads = listener('a', 'b');
    const writes = { ...listener('b'), sentCount: 3 };
    feeds.join(reads);
    feeds.open(10, 'a', 0);
    feeds.open(11, 'b', 0);
    feeds.join(writes);
    feeds.open(11, 'b', 0);
    for (const id of [10, 11]) feeds.message(frame(id, 2), OWN);
    feeds.head(10, 3, 0);
    for (const id of [10, 11]) feeds.message(frame(id, 8), OWN);
    feeds.leave(writes); // its frames are among the numbers
    writes.sentCount = 0;
    feeds.join(writes);
    writes.sentCount = 1;
    feeds.disconnected();
    feeds.join(reads);
    feeds.open(10, 'a', 9);
    feeds.open(11, 'b', 9);
    expect(reads.log).toEqual([
      'a 2',
      'b 2',
      'a lost 2 of 1-3 slow_reader',
      'headed',
      'a 8',
      'b 8',
      'a lost 4 of 4-8 slow_reader',
      'b lost 2 of 1-8 slow_reader',
      'a lost 1 of 9-9 reconnect',
      'b lost 1 of 9-9 reconnect',
    ]);
  });
});

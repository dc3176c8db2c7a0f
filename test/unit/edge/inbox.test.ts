import { beforeEach, describe, expect, it } from 'vitest';
import { Inbox, SERVED } from '../../../src/edge/inbox.ts';
import { Peer } from '../../../src/edge/peer.ts';
import type { TemplatedApp } from '../../../src/edge/uws.ts';

const MAX_BYTES = 1000;
const NO_APP = {} as TemplatedApp; // an inbox does not touch it

let ends: (() => void)[];
let served: string[];
let events: string[];
let room: number;
let nowMs: number;
let inbox: Inbox;
const names = new Map<Peer, string>();
beforeEach(() => {
  ends = [];
  served = [];
  events = [];
  room = Number.POSITIVE_INFINITY;
  nowMs = 0;
  inbox = new Inbox({
    serve: (peer, bytes, start) => {
      for (let pos = start; pos < bytes.length; pos++) {
        if (room === 0) return pos;
        room--;
        served.push(`${names.get(peer)}${bytes[pos]}`);
      }
      return SERVED;
    },
    overflow: (peer) => events.push(`overflow ${names.get(peer)}`),
    departed: (peer) => events.push(`departed ${names.get(peer)}`),
    flush: () => events.push('flush'),
    endOfTurn: (end) => ends.push(end),
    nowMs: () => nowMs,
    maxBytes: MAX_BYTES,
    maxTotalBytes: 2 * MAX_BYTES,
    maxWaitMs: 100,
  });
});

function peerNamed(name: string): Peer {
  const peer = new Peer(NO_APP, 0, null, '');
  peer.socket = {} as Peer['socket'] & object; // only looked at for being there
  names.set(peer, name);
  return peer;
}
const bytes = (...values: number[]): ArrayBuffer => Uint8Array.from(values).buffer;
const endTurn = (): void => {
  for (const end of ends.splice(0)) end();
};

describe('what waits in the inbox', () => {
  it('ends its connection when it has waited too long, and is overwritten; others go on', () => {
    const [late, gone, prompt] = [peerNamed('late'), peerNamed('gone'), peerNamed('prompt')];
    room = 0;
    inbox.add(late, bytes(1, 2), 0, true);
    inbox.add(gone, bytes(3), 0, true);
    const held = [...late.waiting, ...gone.waiting].map((waiting) => waiting.bytes);
    gone.socket = undefined;
    nowMs = 100;
    endTurn();
    expect(events).toEqual(['flush']);
    inbox.add(prompt, bytes(4), 0, true);
    nowMs = 101;
    room = 10;
    endTurn();
    expect(events).toEqual(['flush', 'overflow late', 'departed gone', 'flush']);
    expect(served).toEqual(['prompt4']);
    expect(held.map((each) => [...each])).toEqual([[0, 0], [0]]);
    expect([late, gone, prompt].map((peer) => [inbox.holds(peer), peer.waitingBytes])).toEqual([
      [false, 0],
      [false, 0],
      [false, 0],
    ]);
  });

  it('is served from where it stopped, at the end of the turn, in the order of each connection', () => {
    const [a, b] = [peerNamed('a'), peerNamed('b')];
    inbox.add(a, bytes(0, 1, 2), 1, true);
    inbox.add(b, bytes(5), 0, true);
    inbox.add(a, bytes(3), 0, true);
    expect(served).toEqual([]);
    endTurn();
    expect(served).toEqual(['a1', 'a2', 'a3', 'b5']);
    expect([inbox.holds(a), ends.length, events]).toEqual([false, 0, ['flush']]);
  });

  it('is a copy, and overwritten once it was served', () => {
    const a = peerNamed('a');
    const message = bytes(1, 2);
    inbox.add(a, message, 0, true);
    new Uint8Array(message).fill(9);
    const copy = a.waiting[0]?.bytes;
    endTurn();
    expect(served).toEqual(['a1', 'a2']);
    expect([...(copy ?? [])]).toEqual([0, 0]);
  });

  it('beyond what a turn has room for is served in later turns, and no connection stays ahead of the others', () => {
    const [a, b] = [peerNamed('a'), peerNamed('b')];
    inbox.add(a, bytes(1, 2, 3, 4), 0, true);
    inbox.add(b, bytes(5, 6), 0, true);
    for (let turn = 0; turn < 3; turn++) {
      room = 2;
      endTurn();
    }
    expect(served).toEqual(['a1', 'a2', 'b5', 'b6', 'a3', 'a4']);
    expect(ends).toHaveLength(0);
  });

  it('of a connection that went away takes effect before it is over for that connection', () => {
    const a = peerNamed('a');
    room = 1;
    inbox.add(a, bytes(1, 2), 0, true);
    a.socket = undefined;
    endTurn();
    expect([served, inbox.holds(a), events]).toEqual([['a1'], true, ['flush']]);
    room = 1;
    endTurn();
    expect([served, events]).toEqual([
      ['a1', 'a2'],
      ['flush', 'departed a', 'flush'],
    ]);
  });

  it('is bounded for each connection: more ends that one, and forgets what it sent', () => {
    const [a, b] = [peerNamed('a'), peerNamed('b')];
    room = 0;
    inbox.add(b, bytes(7), 0, true);
    for (let i = 0; i < 8; i++) inbox.add(a, bytes(i), 0, true);
    expect(events).toEqual(['overflow a']);
    room = 100;
    endTurn();
    expect(served).toEqual(['b7']);
  });

  it('is bounded for all together: those that have most are ended, not who sends at that moment', () => {
    const [small, large, larger, last] = ['small', 'large', 'larger', 'last'].map(peerNamed) as [
      Peer,
      Peer,
      Peer,
      Peer,
    ];
    room = 0;
    inbox.add(small, bytes(1), 0, true);
    for (let i = 0; i < 5; i++) inbox.add(large, bytes(2), 0, true);
    for (let i = 0; i < 7; i++) inbox.add(larger, bytes(3), 0, true);
    for (let i = 0; i < 3; i++) inbox.add(last, bytes(4), 0, true);
    expect(events).toEqual([]);
    endTurn();
    expect(events).toEqual(['overflow larger', 'flush']);
    room = 100;
    endTurn();
    expect(served).toEqual(['small1', ...Array(5).fill('large2'), ...Array(3).fill('last4')]);
  });

  it('is bounded for all together: the tenant that has most is looked at first, however little each of its connections has', () => {
    const tenants = [{}, {}];
    const of = (tenant: number, name: string): Peer =>
      Object.assign(peerNamed(name), { session: { tenant: tenants[tenant] } });
    const innocent = of(0, 'innocent');
    const many = Array.from({ length: 12 }, (_, i) => of(1, `m${i}`));
    room = 0;
    for (let i = 0; i < 4; i++) inbox.add(innocent, bytes(i), 0, true);
    for (const peer of many) inbox.add(peer, bytes(9), 0, true);
    endTurn();
    expect(events).toEqual(['overflow m0', 'overflow m1', 'overflow m2', 'overflow m3', 'overflow m4', 'flush']);
  });
});

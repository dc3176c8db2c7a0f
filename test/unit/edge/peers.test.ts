import { beforeEach, describe, expect, it } from 'vitest';
import { closeFor, closeWith } from '../../../src/core/outcome.ts';
import type { Session } from '../../../src/core/session.ts';
import type { Sessions } from '../../../src/core/sessions.ts';
import type { Budget } from '../../../src/edge/budget.ts';
import type { UwsFanout } from '../../../src/edge/fanout.ts';
import { Peer, type UserData } from '../../../src/edge/peer.ts';
import { Peers } from '../../../src/edge/peers.ts';
import { RunningTime } from '../../../src/edge/running-time.ts';
import type { TemplatedApp, WebSocket } from '../../../src/edge/uws.ts';
import { Counters } from '../../../src/telemetry/counters.ts';

const TIMEOUT_MS = 10_000;
const HELLO_MS = 5000;
const PERIOD_MS = 250;

/** A native socket in the test's hand. */
class FakeSocket {
  buffered = 0;
  end_: number | null = null;
  isCut = false;
  pings: Uint8Array[] = [];
  onGone: () => void = () => {};

  getBufferedAmount = (): number => this.buffered;
  send = (bytes: Uint8Array): number => (bytes.length > 0 ? 1 : 1);
  getTopics = (): string[] => [];
  ping = (payload: Uint8Array): number => {
    this.pings.push(Uint8Array.from(payload));
    this.buffered += payload.length + 2;
    return 1;
  };
  end = (code: number): void => {
    this.end_ = code;
    this.onGone();
  };
  close = (): void => {
    this.isCut = true;
    this.onGone();
  };
}

let clockMs: number;
let time: RunningTime;
let counters: Counters;
let peers: Peers;
let ended: Session[];
beforeEach(() => {
  clockMs = 1000;
  time = new RunningTime(() => clockMs, PERIOD_MS);
  counters = new Counters();
  ended = [];
  const sessions = { close: (session: Session) => ended.push(session) } as unknown as Sessions;
  const fanout = { opened: () => {}, closed: () => {} } as unknown as UwsFanout;
  const limits = { maxBufferedBytes: 1_048_576, slowConsumerTimeoutMs: TIMEOUT_MS, pingIntervalMs: 3_600_000 };
  const budget = { mayLinger: () => true, linger: () => {} } as unknown as Budget;
  peers = new Peers({ sessions, counters, budget, fanout, limits, runningMs: () => time.nowMs() });
});

const SESSION = { token: { expiresAtMs: Infinity }, noticeAtMs: Infinity, isLossy: false } as unknown as Session;

/** An open connection, of a session unless it never said HELLO. */
function connect(session: Session | null = SESSION): { peer: Peer; socket: FakeSocket } {
  const peer = new Peer({} as TemplatedApp, time.nowMs() + HELLO_MS, null, '');
  const socket = new FakeSocket();
  socket.onGone = () => peers.remove(peer, 1006);
  peers.add(peer, socket as unknown as WebSocket<UserData>);
  peer.session = session;
  return { peer, socket };
}

/** Lets time go by in steps, with a look at the peer after each; stops early when the connection is gone. Returns the milliseconds. */
function live(peer: Peer, ms: number, step: () => void = () => {}): number {
  let passedMs = 0;
  while (passedMs < ms && peer.socket !== undefined) {
    clockMs += 50;
    passedMs += 50;
    time.advance();
    step();
    const nowMs = time.nowMs();
    peers.inspect(peer, { nowMs, nextMs: nowMs + 2 * PERIOD_MS, wallMs: 0 });
  }
  return passedMs;
}

describe('a connection that does not read', () => {
  it('is cut before a byte has waited for slowConsumerTimeoutMs, and not much earlier', () => {
    const { peer, socket } = connect();
    live(peer, 3000);
    socket.buffered = 100;
    const passedMs = live(peer, 60_000);
    expect(socket.isCut).toBe(true);
    expect(passedMs).toBeLessThanOrEqual(TIMEOUT_MS);
    expect(passedMs).toBeGreaterThan(TIMEOUT_MS - 4 * PERIOD_MS);
  });

  it('is not cut while it answers, however long bytes wait', () => {
    const { peer, socket } = connect();
    socket.buffered = 100;
    live(peer, 60_000, () => {
      for (const payload of socket.pings.splice(0)) peer.probes.pong(payload.buffer as ArrayBuffer);
    });
    expect([socket.isCut, socket.end_]).toEqual([false, null]);
  });

  it('is not cut for a standstill of the relay, and has its whole time after it', () => {
    const { peer, socket } = connect();
    socket.buffered = 100;
    live(peer, 2000);
    clockMs += 15_000;
    const passedMs = live(peer, 60_000);
    expect(socket.isCut).toBe(true);
    expect(passedMs).toBeGreaterThan(TIMEOUT_MS - 2000 - 5 * PERIOD_MS);
  });
});

describe('a connection that is to be closed', () => {
  const REASONS = [
    'going_away',
    'token_expired',
    'token_revoked',
    'too_fast',
    'internal_error',
    'protocol_error',
  ] as const;

  it.each(REASONS)('ends with its code at once when nothing waits (%s)', (reason) => {
    const { peer, socket } = connect();
    peers.perform(peer, closeWith(closeFor(reason)));
    expect(socket.end_).toBe(closeFor(reason).code);
    expect(counters.connections).toBe(0);
  });

  it.each(REASONS)('is cut within two seconds when it reads a little all the time (%s)', (reason) => {
    const { peer, socket } = connect();
    socket.buffered = 1_000_000;
    peers.perform(peer, closeWith(closeFor(reason)));
    const passedMs = live(peer, 60_000, () => {
      socket.buffered -= 1;
      for (const payload of socket.pings.splice(0)) peer.probes.pong(payload.buffer as ArrayBuffer);
      peers.drained(peer);
    });
    expect(socket.isCut).toBe(true);
    expect(passedMs).toBeLessThanOrEqual(2000);
    expect(socket.pings).toEqual([]);
  });

  it('ends with its code when it has read everything in time', () => {
    const { peer, socket } = connect();
    socket.buffered = 100;
    peers.perform(peer, closeWith(closeFor('token_revoked')));
    live(peer, 1000);
    socket.buffered = 0;
    peers.drained(peer);
    expect([socket.end_, socket.isCut]).toEqual([4002, false]);
  });

  it('keeps no byte for longer than slowConsumerTimeoutMs, also when it had waited for long', () => {
    const { peer, socket } = connect();
    socket.buffered = 100;
    const beforeMs = live(peer, TIMEOUT_MS - 1000);
    peers.perform(peer, closeWith(closeFor('token_revoked')));
    expect(beforeMs + live(peer, 60_000)).toBeLessThanOrEqual(TIMEOUT_MS);
    expect(socket.isCut).toBe(true);
  });

  it('is not served and not counted: its session is over, and its replies are not sent', () => {
    const { peer, socket } = connect();
    connect();
    expect(counters.connections).toBe(2);
    socket.buffered = 100;
    peers.perform(peer, closeWith(closeFor('token_revoked')));
    expect([counters.connections, ended, peer.session]).toEqual([1, [SESSION], null]);
    socket.send = () => expect.unreachable();
    peers.perform(peer, { replies: [Uint8Array.of(1)], renew: null, close: null, refused: 0 });
    live(peer, 60_000);
    expect([counters.connections, peers.count]).toEqual([1, 1]);
  });
});

describe('HELLO', () => {
  it('is overdue after helloTimeoutMs', () => {
    const { peer, socket } = connect(null);
    const passedMs = live(peer, 60_000);
    expect(socket.end_).toBe(4004);
    expect(Math.abs(passedMs - HELLO_MS)).toBeLessThanOrEqual(PERIOD_MS);
  });

  it('is not overdue for a standstill of the relay', () => {
    const { peer, socket } = connect(null);
    live(peer, 1000);
    clockMs += 60_000;
    live(peer, 1000);
    expect(socket.end_).toBe(null);
  });
});

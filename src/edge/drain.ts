import { closeFor, closeWith, replyWith } from '../core/outcome.ts';
import { encodeFrame } from '../protocol/codec.ts';
import { FrameType } from '../protocol/frames.ts';
import type { Peer } from './peer.ts';
import type { Peers } from './peers.ts';

const TICK_MS = 20;
/** Those who leave come back somewhere, and one core does about this many TLS handshakes: 500 a second. */
const MS_PER_CONNECTION = 2;

/** Why connections have to go: what GOAWAY says. */
export type GoAwayReason = 'shutdown' | 'reload';

/**
 * Says GOAWAY to these connections, each with a time of its own, and closes each at its time: as fast as they can come back elsewhere, but
 * all within `timeoutMs`. Resolves when none of them is left; those that would not go were cut.
 */
export async function drain(
  peers: Peers,
  going: readonly Peer[],
  { timeoutMs, reason }: { readonly timeoutMs: number; readonly reason: GoAwayReason },
): Promise<void> {
  const spreadMs = Math.min(timeoutMs, going.length * MS_PER_CONNECTION);
  const leaving = shuffled(going).map((peer, i) => {
    const afterMs = Math.floor(((i + Math.random()) / going.length) * spreadMs);
    if (peer.session !== null) peers.perform(peer, replyWith(encodeFrame([FrameType.GOAWAY, afterMs, reason])));
    return { peer, afterMs };
  });
  let next = 0;
  await everyTick((elapsedMs) => {
    for (let due = leaving[next]; due !== undefined && due.afterMs <= elapsedMs; due = leaving[++next]) {
      peers.perform(due.peer, closeWith(closeFor('going_away')));
    }
    if (elapsedMs >= timeoutMs) for (const { peer } of leaving) peers.cut(peer);
    return leaving.every(({ peer }) => peer.socket === undefined);
  });
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

function everyTick(act: (elapsedMs: number) => boolean): Promise<void> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (!act(performance.now() - startMs)) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

import { closeFor, closeWith, replyWith } from '../core/outcome.ts';
import { encodeFrame } from '../protocol/codec.ts';
import { FrameType } from '../protocol/frames.ts';
import type { Peer } from './peer.ts';
import type { Peers } from './peers.ts';

const TICK_MS = 20;

/**
 * Says GOAWAY to every connection, each with a time of its own, and closes each at its time, all within `timeoutMs`. Resolves when no
 * connection is left; those that would not go were cut.
 */
export async function drain(peers: Peers, timeoutMs: number): Promise<void> {
  const leaving: { peer: Peer; afterMs: number }[] = [];
  for (const peer of peers.list()) {
    const afterMs = Math.floor(Math.random() * timeoutMs);
    if (peer.session !== null) {
      peers.perform(peer, replyWith(encodeFrame([FrameType.GOAWAY, afterMs, 'shutdown'])));
    }
    leaving.push({ peer, afterMs });
  }
  leaving.sort((a, b) => b.afterMs - a.afterMs);
  await everyTick((elapsedMs) => {
    for (let last = leaving.at(-1); last !== undefined && last.afterMs <= elapsedMs; last = leaving.at(-1)) {
      peers.perform(last.peer, closeWith(closeFor('going_away')));
      leaving.pop();
    }
    if (elapsedMs >= timeoutMs) for (const peer of peers.list()) peers.cut(peer);
    return peers.count === 0;
  });
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

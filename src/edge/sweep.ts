import type { Clock } from '../core/ports.ts';
import type { Peers } from './peers.ts';
import type { RunningTime } from './running-time.ts';

const TICKS_PER_PERIOD = 5;

/**
 * Looks at every connection once a period, at a part of them each tick, so that no tick is long; a late tick looks at more, and what it has left
 * at the end of a round goes into the next: from one look at a connection to the next is never more than two periods and a tick. What waits in the
 * kernel is read ahead of a look: a pong or a HELLO that came while the relay stood still is heard before anybody is judged. Returns
 * a function that stops it.
 */
export function startSweep(
  peers: Peers,
  time: RunningTime,
  clock: Clock,
  periodMs: number,
  everyTick: () => void,
): () => void {
  let isStopped = false;
  let round = 0;
  let next = -1;
  const tick = (): void => {
    if (isStopped) return;
    let part = Math.min(1, Math.max(1 / TICKS_PER_PERIOD, time.advance() / periodMs));
    const nowMs = time.nowMs();
    const look = { nowMs, nextMs: nowMs + 2 * periodMs, wallMs: clock.nowMs() };
    // Downwards: a connection that leaves is replaced by the last one, so that none moves to where this round has been.
    while (part > 0) {
      if (next < 0) {
        round = peers.count;
        next = round - 1;
        if (round === 0) break;
      }
      const last = Math.max(0, next + 1 - Math.ceil(round * part));
      part -= (next + 1 - last) / round;
      while (next >= last) {
        const peer = peers.at(next--);
        if (peer !== undefined) peers.inspect(peer, look);
      }
    }
    everyTick();
  };
  // Timers run ahead of reading, immediates behind it, and the second behind what reading put off to the end of the turn.
  const timer = setInterval(() => setImmediate(() => setImmediate(tick)), periodMs / TICKS_PER_PERIOD);
  return () => {
    isStopped = true;
    clearInterval(timer);
  };
}

import type { Clock } from '../core/ports.ts';
import type { Peers } from './peers.ts';

const TICKS_PER_PERIOD = 5;

/** Walks over all connections once a period, a part of them each tick, so that no tick is long. Returns a function that stops it. */
export function startSweep(
  peers: Peers,
  clock: Clock,
  periodMs: number,
  everyTick: (nowMs: number) => void,
): () => void {
  let next = 0;
  const tick = (): void => {
    const nowMs = clock.nowMs();
    const share = Math.ceil(peers.count / TICKS_PER_PERIOD);
    for (let i = 0; i < share; i++) {
      next = next >= peers.count ? 0 : next;
      const peer = peers.at(next++);
      if (peer !== undefined) peers.inspect(peer, nowMs, periodMs);
    }
    everyTick(nowMs);
  };
  const timer = setInterval(tick, periodMs / TICKS_PER_PERIOD);
  return () => clearInterval(timer);
}

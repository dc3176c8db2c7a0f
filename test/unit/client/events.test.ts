import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../../src/client/backoff.ts';
import { mayReconnect, needsFreshToken } from '../../../src/client/close-rules.ts';
import { Events } from '../../../src/client/events.ts';

describe('Events', () => {
  it('reaches every listener until it stops, by its function or its signal', () => {
    const events = new Events<{ count: number }>('count');
    const log: string[] = [];
    const stop = new AbortController();
    const off = events.on('count', (count) => log.push(`a${count}`));
    events.on('count', (count) => log.push(`b${count}`), { signal: stop.signal });
    events.emit('count', 1);
    off();
    events.emit('count', 2);
    stop.abort();
    events.emit('count', 3);
    events.on('count', (count) => log.push(`c${count}`), { signal: stop.signal });
    events.emit('count', 4);
    expect(log).toEqual(['a1', 'b1', 'b2']);
  });

  it('tells an event to who listens at the time, also when a listener stops or starts others', () => {
    const events = new Events<{ count: number }>('count');
    const log: string[] = [];
    const arm = (): void => {
      const stop = events.on('count', (count) => {
        stop();
        log.push(`once ${count}`);
        arm();
      });
    };
    arm();
    const off = events.on('count', () => stopThird());
    const stopThird = events.on('count', (count) => log.push(`third ${count}`));
    events.emit('count', 1);
    off();
    events.emit('count', 2);
    expect(log).toEqual(['once 1', 'once 2']);
  });

  it('lets go of all listeners and their signals at the end', () => {
    const events = new Events<{ count: number }>('count');
    const removed: string[] = [];
    const { signal } = new AbortController();
    const remove = signal.removeEventListener.bind(signal);
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      removed.push(args[0]);
      remove(...args);
    };
    events.on('count', () => removed.push('told'), { signal });
    expect(events.isHeard('count')).toBe(true);
    events.end();
    events.emit('count', 1);
    expect([removed, events.isHeard('count')]).toEqual([['abort'], false]);
  });

  it('counts a listener as often as it was added', () => {
    const events = new Events<{ count: number }>('count');
    const log: number[] = [];
    const listener = (count: number): unknown => log.push(count);
    const off = events.on('count', listener);
    events.on('count', listener);
    events.emit('count', 1);
    off();
    events.emit('count', 2);
    expect(log).toEqual([1, 1, 2]);
  });
});

describe('coming back', () => {
  it('waits at random below a ceiling that doubles and then stands', () => {
    const waits = [0, 1, 2, 3, 10, 1000].map((attempt) => backoffMs(attempt, { firstMs: 100, maxMs: 1000 }, () => 0.5));
    expect(waits).toEqual([50, 100, 200, 400, 500, 500]);
    expect([backoffMs(0, {}, () => 1), backoffMs(99, {}, () => 1)]).toEqual([500, 30_000]);
  });

  it('is no use after 4500 to 4999, and needs another token after 4001 and 4002: docs/PROTOCOL.md, section 13', () => {
    expect([1000, 1006, 4000, 4499, 4500, 4999, 5000].map(mayReconnect)).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
      true,
    ]);
    expect([4000, 4001, 4002, 4003].map(needsFreshToken)).toEqual([false, true, true, false]);
  });
});

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Presence } from '../../../src/client/presence.ts';

describe('Presence', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('leaves no timer behind when a listener ends it', () => {
    const presence = new Presence(async () => {});
    presence.on('count', () => presence.end());
    presence.begin(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves none either when that is in the middle of a heartbeat', () => {
    const presence = new Presence(async () => {});
    presence.begin(1);
    presence.receive(7, Uint8Array.of(1, 65)); // HERE
    presence.on('leave', () => presence.end());
    vi.advanceTimersByTime(100_000);
    expect([presence.members, vi.getTimerCount()]).toEqual([[], 0]);
  });

  it('repeats what it said of itself, and takes who is silent for gone', () => {
    const sent: number[][] = [];
    const presence = new Presence(async (data) => {
      sent.push([...data]);
    });
    presence.begin(1);
    presence.enter('A');
    presence.receive(7, Uint8Array.of(1, 66));
    vi.advanceTimersByTime(60_000);
    expect(sent).toEqual([[3], [1, 65], [1, 65], [1, 65]]); // WHO, HERE, and two heartbeats
    expect(presence.members.map(({ sender, text }) => [sender, text])).toEqual([[7, 'B']]);
    vi.advanceTimersByTime(60_000);
    expect(presence.members).toEqual([]);
    presence.end();
    expect(vi.getTimerCount()).toBe(0);
  });
});

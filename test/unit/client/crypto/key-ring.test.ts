import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ChannelKey } from '../../../../src/client/crypto/channel-key.ts';
import { KeyRing } from '../../../../src/client/crypto/key-ring.ts';

const [first, second, third] = [ChannelKey.random(), ChannelKey.random(), ChannelKey.random()];

describe('a key ring', () => {
  let nowMs = 0;
  const clock = { nowMs: () => nowMs };
  let ring: KeyRing;
  beforeEach(() => {
    nowMs = 1_000_000;
    ring = new KeyRing(first, { clock });
  });

  it('begins with generation 0, unless told otherwise', () => {
    expect([ring.generation, ring.key]).toEqual([0, first]);
    expect(new KeyRing(first, { generation: 255 }).generation).toBe(255);
  });

  it('knows no generation that it was not given', () => {
    expect(ring.find(0)).toBe(first);
    expect(ring.find(1)).toBe('unknown_generation');
  });

  it('opens with the key before until the grace has run out', () => {
    expect(ring.rotate(second, { graceMs: 500 })).toBe(1);
    expect([ring.generation, ring.key, ring.find(1)]).toEqual([1, second, second]);
    nowMs += 499;
    expect(ring.find(0)).toBe(first);
    nowMs += 1;
    expect(ring.find(0)).toBe('expired_generation');
  });

  it('counts the grace by a clock that nobody sets', () => {
    vi.useFakeTimers();
    const wall = new KeyRing(first);
    wall.rotate(second, { graceMs: 1000 });
    vi.setSystemTime(Date.now() + 600_000);
    expect(wall.find(0)).toBe(first);
    vi.setSystemTime(Date.now() - 1_200_000);
    vi.advanceTimersByTime(1000);
    expect(wall.find(0)).toBe('expired_generation');
    vi.useRealTimers();
  });

  it('gives a minute of grace when none is named', () => {
    ring.rotate(second);
    nowMs += 59_999;
    expect(ring.find(0)).toBe(first);
    nowMs += 1;
    expect(ring.find(0)).toBe('expired_generation');
  });

  it('never takes back an expired key, whatever the clock does', () => {
    ring.rotate(second, { graceMs: 0 });
    expect(ring.find(0)).toBe('expired_generation');
    nowMs -= 10_000;
    expect(ring.find(0)).toBe('expired_generation');
  });

  it('keeps several old keys, each for its own grace', () => {
    ring.rotate(second, { graceMs: 1000 });
    ring.rotate(third, { graceMs: 10 });
    nowMs += 10;
    expect([0, 1, 2].map((generation) => ring.find(generation))).toEqual([first, 'expired_generation', third]);
  });

  it('opens with a prepared key before it seals with it', () => {
    expect(ring.prepare(second)).toBe(1);
    expect([ring.generation, ring.find(1)]).toEqual([0, second]);
    expect(ring.rotate(second)).toBe(1);
    expect(ring.key).toBe(second);
  });

  it('goes on with 0 after 255, and with whatever generation it is told', () => {
    const last = new KeyRing(first, { generation: 255, clock });
    expect(last.rotate(second, { graceMs: 5 })).toBe(0);
    expect([last.find(0), last.find(255)]).toEqual([second, first]);
    expect(last.rotate(third, { generation: 17 })).toBe(17);
  });

  it.each([-1, 256, 1.5, Number.NaN])('has no generation %d', (generation) => {
    const refused = expect.objectContaining({ code: 'bad_generation' });
    expect(() => new KeyRing(first, { generation })).toThrow(refused);
    expect(() => ring.rotate(second, { generation })).toThrow(refused);
    expect(() => ring.prepare(second, { generation })).toThrow(refused);
    expect([ring.generation, ring.key, ring.find(0)]).toEqual([0, first, first]);
  });

  it('does not replace the key it seals with under the same generation', () => {
    expect(() => ring.rotate(second, { generation: 0 })).toThrow(expect.objectContaining({ code: 'bad_generation' }));
    expect(() => ring.prepare(second, { generation: 0 })).toThrow(expect.objectContaining({ code: 'bad_generation' }));
    expect(ring.find(0)).toBe(first);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('has no grace of %d', (graceMs) => {
    expect(() => ring.rotate(second, { graceMs })).toThrow(expect.objectContaining({ code: 'bad_grace' }));
    expect([ring.generation, ring.find(1)]).toEqual([0, 'unknown_generation']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOut } from '../../../src/edge/shares.ts';

const DEFAULTS = {
  maxConnections: 100_000,
  maxUnauthenticated: 4096,
  maxMemoryBytes: 2048 * 1024 * 1024,
  maxMessageBytes: 262_144,
};

describe('the shares', () => {
  it('are what the settings say where there are descriptors enough', () => {
    const shares = shareOut(DEFAULTS, 200_000, 25);
    expect(shares).toMatchObject({ connections: 100_000, callers: 4096, greeters: 1024, closing: 4096 });
    expect(shares.wanted).toBeLessThan(111_000);
  });

  it('leave over a half of 1,024 descriptors to connections', () => {
    expect(shareOut(DEFAULTS, 1024, 25).connections).toBeGreaterThan(550);
  });

  it('leave out no setting that fits in few descriptors', () => {
    expect(shareOut({ ...DEFAULTS, maxConnections: 100 }, 1024, 25).connections).toBe(100);
  });

  it('never add up to more than the limit, and leave something to everybody', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 128, max: 300_000 }),
        fc.integer({ min: 1, max: 200_000 }),
        fc.integer({ min: 16, max: 10_000 }),
        (limit, maxConnections, maxUnauthenticated) => {
          const shares = shareOut({ ...DEFAULTS, maxConnections, maxUnauthenticated }, limit, 25);
          const { connections, callers, greeters, closing, admin } = shares;
          expect(25 + connections + callers + greeters + closing + admin).toBeLessThan(limit);
          for (const share of [connections, callers, greeters, closing, admin]) expect(share).toBeGreaterThan(0);
        },
      ),
    );
  });

  it('keep the headers of requests, 16 KiB each, within an eighth of the memory, unless more strangers were asked for', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 64 * 1024 * 1024, max: 2 ** 40 }),
        fc.integer({ min: 16, max: 1_000_000 }),
        (maxMemoryBytes, maxUnauthenticated) => {
          const { mostCallers } = shareOut({ ...DEFAULTS, maxMemoryBytes, maxUnauthenticated }, 10_000_000, 25);
          expect(mostCallers * 16_384 <= maxMemoryBytes / 8 || mostCallers === maxUnauthenticated).toBe(true);
        },
      ),
    );
  });

  it('keep the first messages of strangers within an eighth of the memory', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 64 * 1024 * 1024, max: 2 ** 40 }),
        fc.integer({ min: 65_536, max: 64 * 1024 * 1024 }),
        (maxMemoryBytes, maxMessageBytes) => {
          const { greeters } = shareOut({ ...DEFAULTS, maxMemoryBytes, maxMessageBytes }, 1_000_000, 25);
          expect(greeters === 1 || greeters * maxMessageBytes <= maxMemoryBytes / 8).toBe(true);
        },
      ),
    );
  });
});

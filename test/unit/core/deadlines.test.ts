import { describe, expect, it } from 'vitest';
import { checkExpiry } from '../../../src/core/deadlines.ts';
import { NOTHING } from '../../../src/core/outcome.ts';
import { repliesOf, START_MS, tokenWith, World } from './world.ts';

describe('the expiry of a token', () => {
  it.each([
    ['30 seconds ahead, of an hour', 3_600_000, 3_570_000],
    ['30 seconds ahead, of a minute', 60_000, 30_000],
    ['at half of the life that remains, of 40 seconds', 40_000, 20_000],
    ['at half of the life that remains, of a second', 1000, 500],
  ])('is announced %s', (_, lifeMs, noticeMs) => {
    const { session } = new World().connect({ expiresAtMs: START_MS + lifeMs });
    expect(checkExpiry(session, START_MS + noticeMs - 1)).toBe(NOTHING);
    const due = checkExpiry(session, START_MS + noticeMs);
    expect(repliesOf(due)).toEqual([[25, lifeMs - noticeMs]]);
    expect(due.close).toBeNull();
  });

  it('is announced once, and then closes the connection with 4001', () => {
    const { session } = new World().connect({ expiresAtMs: START_MS + 60_000 });
    expect(repliesOf(checkExpiry(session, START_MS + 31_000))).toHaveLength(1);
    expect(checkExpiry(session, START_MS + 59_999)).toBe(NOTHING);
    expect(checkExpiry(session, START_MS + 60_000).close).toEqual({ code: 4001, reason: 'token_expired' });
  });

  it('is announced anew for a renewed token', () => {
    const world = new World();
    const { session } = world.connect({ expiresAtMs: START_MS + 60_000 });
    checkExpiry(session, START_MS + 31_000);
    world.wait(40_000);
    world.sessions.renew(session, 1, tokenWith({ expiresAtMs: START_MS + 140_000 }));
    expect(checkExpiry(session, START_MS + 60_000)).toBe(NOTHING);
    expect(checkExpiry(session, START_MS + 109_999)).toBe(NOTHING);
    expect(repliesOf(checkExpiry(session, START_MS + 110_000))).toEqual([[25, 30_000]]);
  });
});

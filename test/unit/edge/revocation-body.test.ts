import { describe, expect, it } from 'vitest';
import { readRevocation } from '../../../src/edge/revocation-body.ts';

const NOW_MS = 1_790_000_000_500;
const TIMES = { maxTtlMs: 3_600_000, toleranceMs: 5000 };
const read = (body: unknown) => readRevocation(Buffer.from(JSON.stringify(body)), NOW_MS, TIMES);

describe('the body of a revocation', () => {
  it.each([
    [{ jti: 'j' }, { jti: 'j' }],
    [{ sub: 'alice' }, { sub: 'alice' }],
    [
      { sub: 'alice', dev: 'phone' },
      { sub: 'alice', dev: 'phone' },
    ],
    [{ kid: 'app' }, { kid: 'app' }],
    [{ channel: 'room.*' }, { channel: ['room', '*'] }],
    [{ channel: 'room.42' }, { channel: ['room', '42'] }],
  ])('%j names its target', (body, target) => {
    expect(read(body)).toMatchObject({ target });
  });

  it('covers tokens issued up to now, by clocks that may differ, unless it says otherwise, and is over when all of them have expired', () => {
    const revocation = read({ sub: 'alice' });
    if ('status' in revocation) throw new Error(revocation.detail);
    expect(revocation.beforeMs).toBeGreaterThan(NOW_MS);
    expect(revocation.beforeMs - NOW_MS).toBeLessThanOrEqual(6000);
    expect(revocation.untilMs).toBeGreaterThanOrEqual(NOW_MS + 3_600_000);
    expect(read({ sub: 'alice', before: 1_789_999_000 })).toMatchObject({ beforeMs: 1_789_999_000_000 });
  });

  it('is remembered until tokens issued before a later moment have expired too', () => {
    const revocation = read({ sub: 'alice', before: 1_790_000_010 });
    if ('status' in revocation) throw new Error(revocation.detail);
    expect(revocation.untilMs).toBeGreaterThanOrEqual(revocation.beforeMs + 3_600_000);
  });

  it('reaches no further ahead than a token lives', () => {
    expect(read({ sub: 'alice', before: 1e300 })).toMatchObject({ status: 400, code: 'bad_body' });
  });

  it.each([
    ['nothing', {}],
    ['a list', []],
    ['nil', null],
    ['a number', 5],
    ['two targets', { jti: 'j', kid: 'k' }],
    ['a device alone', { dev: 'phone' }],
    ['an unknown member', { sub: 'alice', device: 'phone' }],
    ['an empty target', { sub: '' }],
    ['a target that is a number', { sub: 5 }],
    ['a before that is text', { sub: 'alice', before: '2026' }],
    ['a before in the past of 1970', { sub: 'alice', before: -1 }],
    ['a dev that is nil', { sub: 'alice', dev: null }],
  ])('of %s is refused as bad_body', (_, body) => {
    expect(read(body)).toMatchObject({ status: 400, code: 'bad_body' });
  });

  it.each(['', '{', '\u0000', 'sub=alice'])('%j is not JSON and refused as bad_body', (text) => {
    expect(readRevocation(Buffer.from(text), NOW_MS, TIMES)).toMatchObject({ code: 'bad_body' });
  });

  it.each(['a..b', '$audit', 'a*', 'a b'])('of the channel %j is refused as bad_channel', (channel) => {
    expect(read({ channel })).toMatchObject({ status: 400, code: 'bad_channel' });
  });
});

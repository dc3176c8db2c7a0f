import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Tokens } from '../../../src/client/tokens.ts';

describe('Tokens', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('gives a call up after a minute, tells it so, and asks anew', async () => {
    const ending = new AbortController();
    const signals: AbortSignal[] = [];
    const tokens = new Tokens(({ signal }) => {
      return signals.push(signal) === 1 ? new Promise(() => {}) : 'second';
    }, ending.signal);
    const first = expect(tokens.read({ reason: 'connect' }, ending.signal)).rejects.toMatchObject({
      code: 'token_failed',
      message: expect.stringContaining('60000 ms'),
    });
    await vi.advanceTimersByTimeAsync(59_000);
    expect([signals.length, signals[0]?.aborted]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(1000);
    await first;
    expect(signals[0]?.aborted).toBe(true);
    expect(await tokens.read({ reason: 'reconnect' }, ending.signal)).toBe('second');
  });

  it('answers all who ask at a time with one call, and lets each give up alone', async () => {
    const ending = new AbortController();
    const impatient = new AbortController();
    let answer = (_: string): void => {};
    let calls = 0;
    const tokens = new Tokens(() => {
      calls++;
      return new Promise<string>((resolve) => {
        answer = resolve;
      });
    }, ending.signal);
    const [one, two] = [
      tokens.read({ reason: 'expiring' }, impatient.signal).catch(({ code }: { code: string }) => code),
      tokens.read({ reason: 'reconnect' }, ending.signal),
    ];
    impatient.abort();
    expect(await one).toBe('aborted');
    answer('token');
    expect([await two, calls]).toEqual(['token', 1]);
  });
});

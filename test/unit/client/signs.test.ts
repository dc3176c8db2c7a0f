import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Signs } from '../../../src/client/signs.ts';

/** A window as far as it tells of the network. */
function hostOf() {
  const connection = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  return Object.assign(new EventTarget(), { document, navigator: { connection } });
}

describe('Signs', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    ['online', 'window', true],
    ['offline', 'window', false],
    ['pageshow', 'window', true],
    ['visibilitychange', 'document', true],
    ['resume', 'document', true],
    ['change', 'connection', true],
  ] as const)('are %s of the %s', (name, where, mayBeBack) => {
    const host = hostOf();
    const heard: boolean[] = [];
    const signs = new Signs((isBack) => heard.push(isBack), host);
    const { document, navigator } = host;
    const target = { window: host, document, connection: navigator.connection }[where];
    target.dispatchEvent(new Event(name));
    signs.start();
    target.dispatchEvent(new Event(name));
    signs.stop();
    vi.advanceTimersByTime(1000);
    target.dispatchEvent(new Event(name));
    vi.advanceTimersByTime(1000);
    expect(heard).toEqual([mayBeBack]);
  });

  it('are not that a page was hidden', () => {
    const host = hostOf();
    const heard: boolean[] = [];
    const signs = new Signs((isBack) => heard.push(isBack), host);
    signs.start();
    host.document.visibilityState = 'hidden';
    host.document.dispatchEvent(new Event('visibilitychange'));
    signs.stop();
    expect(heard).toEqual([]);
  });

  it('are that a timer was late: the machine slept', () => {
    const heard: boolean[] = [];
    const signs = new Signs((isBack) => heard.push(isBack), {});
    signs.start();
    vi.advanceTimersByTime(10_000);
    expect(heard).toEqual([]);
    vi.setSystemTime(Date.now() + 60_000);
    vi.advanceTimersByTime(1000);
    expect(heard).toEqual([true]);
    signs.stop();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('many in a row are two, and the second knows the best of them', () => {
    const host = hostOf();
    const heard: boolean[] = [];
    const signs = new Signs((isBack) => heard.push(isBack), host);
    signs.start();
    for (const name of ['offline', 'offline', 'online', 'offline']) host.dispatchEvent(new Event(name));
    vi.advanceTimersByTime(400);
    expect(heard).toEqual([false]);
    vi.advanceTimersByTime(100);
    expect(heard).toEqual([false, true]);
    signs.stop();
  });

  it('need no host that tells of anything', () => {
    const signs = new Signs(() => {}, {});
    signs.start();
    signs.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

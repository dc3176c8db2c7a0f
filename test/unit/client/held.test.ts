import { describe, expect, it } from 'vitest';
import { Held } from '../../../src/client/held.ts';

type Name = 'message' | 'loss';

/** What waits, who listens, and what was told. */
function setUp(maxCount = 10, maxBytes = 1000) {
  const heard = new Set<Name>();
  const told: string[] = [];
  const held = new Held<Name>('message', { maxCount, maxBytes }, (name) => heard.has(name));
  const pass = (name: Name, text: string, then = (): void => {}): boolean =>
    held.pass(name, text.length, () => {
      told.push(text);
      then();
    });
  const listen = (name: Name): void => {
    heard.add(name);
    held.listened(() => told.push('open'));
  };
  return { heard, told, pass, listen };
}

describe('Held', () => {
  it('tells everything in its order once somebody listens to the main event', async () => {
    const { told, pass, listen } = setUp();
    pass('message', 'one');
    pass('loss', 'lost');
    pass('message', 'two');
    listen('message');
    pass('message', 'three');
    await Promise.resolve();
    pass('message', 'four');
    expect(told).toEqual(['one', 'lost', 'two', 'three', 'open', 'four']);
  });

  it('tells each event once and in order when a listener begins to listen to the others', async () => {
    const { told, pass, listen } = setUp();
    pass('message', 'one');
    pass('loss', 'lost', () => listen('message'));
    pass('message', 'two');
    listen('loss');
    await Promise.resolve();
    pass('message', 'three');
    await Promise.resolve();
    listen('loss');
    await Promise.resolve();
    expect(told).toEqual(['lost', 'one', 'two', 'three', 'open']);
  });

  it('goes on holding for a listener that was gone before its turn', async () => {
    const { heard, told, pass, listen } = setUp();
    pass('message', 'one');
    listen('message');
    heard.delete('message');
    await Promise.resolve();
    pass('message', 'two');
    expect(told).toEqual([]);
    listen('message');
    await Promise.resolve();
    expect(told).toEqual(['one', 'two', 'open']);
  });

  it('refuses what there is no room for', () => {
    const { pass } = setUp(2);
    expect([pass('message', 'one'), pass('message', 'two'), pass('message', 'three')]).toEqual([true, true, false]);
  });

  it('refuses what takes too many bytes, and all behind it, until somebody listens', async () => {
    const { told, pass, listen } = setUp(10, 10);
    const passed = ['12345', '1234', '12', '1'].map((text) => pass('message', text));
    expect(passed).toEqual([true, true, false, false]);
    listen('message');
    await Promise.resolve();
    expect([pass('message', 'more than ten'), told]).toEqual([true, ['12345', '1234', 'open', 'more than ten']]);
  });

  it('has room again for what was told to a listener of another event', async () => {
    const { pass, listen } = setUp(10, 10);
    pass('loss', '1234567');
    pass('message', '123');
    listen('loss');
    await Promise.resolve();
    expect([pass('message', '1234567'), pass('message', '1')]).toEqual([true, false]);
  });
});

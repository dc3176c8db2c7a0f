import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/programs.ts';
import { Demo, NEEDS } from './demo.ts';
import type { Wire } from './visit.ts';

/** The numbers of the messages that came in on a wire. */
function numbers(wire: Wire | undefined): number[] {
  return (wire?.received ?? []).filter(([type]) => type === 4).map(([, , seq]) => Number(seq));
}

/** How many messages reached the one who stayed, after the other's first, and neither of the other's connections. */
function missed(before: Wire | undefined, after: Wire | undefined, other: Wire | undefined): number {
  const heard = [...numbers(before), ...numbers(after)];
  return numbers(other).filter((seq) => seq > Math.min(...heard) && !heard.includes(seq)).length;
}

describeWith(NEEDS, 'a page whose connections break', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await Demo.start();
  });
  afterEach(() => demo.leave());
  afterAll(() => demo.stop());

  it('counts exactly what a person missed who was cut off, while the other goes on', async () => {
    const visit = await demo.visit();
    await visit.say('right', 'before');
    await visit.hears('left', 'before');
    const before = visit.wireOf(await visit.senderOf('left'));
    await visit.cut('left');
    await visit.shows('left', /offline, back in [1-5] s/);
    await visit.say('left', 'kept until the connection is back');
    await visit.shows('left', /waits for the connection/);
    for (const text of ['one', 'two', 'three']) await visit.say('right', text);
    await visit.online('left');
    const line = await visit.notices('left', /^Back after \d/);
    await visit.hears('right', 'kept until the connection is back');
    await visit.page.waitForSelector('[data-part=left] .is-own .trace');

    const after = visit.wireOf(await visit.senderOf('left'));
    const count = missed(before, after, visit.wireOf(await visit.senderOf('right')));
    expect(count).toBeGreaterThanOrEqual(3);
    expect(line).toContain(`Missed exactly ${count} messages`);
    expect(await visit.texts('left')).not.toContain('two');
    expect(await visit.texts('right')).toContain('two');
  });

  it('counts presence signals alone where nobody said a thing, most times none', async () => {
    const visit = await demo.visit();
    const before = visit.wireOf(await visit.senderOf('right'));
    await visit.cut('right');
    await visit.offline('right');
    const line = await visit.notices('right', /^Back after/);
    const after = visit.wireOf(await visit.senderOf('right'));
    const count = missed(before, after, visit.wireOf(await visit.senderOf('left')));
    expect(count).toBeLessThanOrEqual(2);
    expect(line).toMatch(new RegExp(`Missed exactly ${count} message`));
  });

  it('comes back by itself when the relay was killed and started again, and says that nobody knows what was missed', async () => {
    const here = await demo.visit();
    const there = await demo.visit(here.fragment);
    await demo.kill();
    for (const side of ['left', 'right'] as const) await Promise.all([here.offline(side), there.offline(side)]);
    await demo.revive();
    for (const visit of [here, there]) {
      for (const side of ['left', 'right'] as const) {
        await visit.online(side);
        expect(await visit.notices(side, /^Back after/)).toMatch(
          /Missed an unknown number of messages: the relay restarted\.$/,
        );
      }
    }
    await here.say('left', 'here again');
    await there.hears('right', 'here again');
    await there.say('right', 'so are we');
    await here.hears('left', 'so are we');
    // A browser logs each attempt that found nobody; nothing else went wrong.
    const refused = /Failed to load resource: net::ERR_|WebSocket connection to '.*' failed: /;
    for (const { errors } of [here, there]) expect(errors.filter((error) => !refused.test(error))).toEqual([]);
  });
});

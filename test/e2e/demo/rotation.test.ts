import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/programs.ts';
import { Demo, NEEDS } from './demo.ts';

describeWith(NEEDS, 'a key that is rotated', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await Demo.start();
  });
  afterEach(() => demo.leave());
  afterAll(() => demo.stop());

  it('loses no message of four people on two pages who talk all the while, whichever page begins', async () => {
    const here = await demo.visit();
    const there = await demo.visit(here.fragment);
    let isEnough = false;
    const chatting = Promise.all([here.chatter('here', () => isEnough), there.chatter('there', () => isEnough)]);
    await there.hears('left', 'here left 2');
    await here.press('rotate');
    for (const visit of [here, there]) await visit.shows('generation', /^1$/);
    await there.press('rotate');
    for (const visit of [here, there]) await visit.shows('generation', /^2$/);
    isEnough = true;
    const [lastHere, lastThere] = await chatting;
    for (const visit of [here, there]) {
      expect(visit.fragment).toContain('generation=2');
      for (const side of ['left', 'right'] as const) {
        for (const [word, last] of [
          ['here', lastHere],
          ['there', lastThere],
        ] as const) {
          for (const sender of ['left', 'right']) {
            const start = `${word} ${sender} `;
            await visit.hears(side, `${start}${last}`);
            const numbers = (await visit.texts(side))
              .filter((text) => text.startsWith(start))
              .map((text) => Number(text.slice(start.length)));
            // The page keeps the latest lines: those must be without a hole.
            expect(numbers).toEqual(numbers.map((_, i) => last - numbers.length + 1 + i));
          }
        }
        expect((await visit.notes(side)).filter((line) => /refused|old key|Missed/.test(line))).toEqual([]);
      }
      await visit.shows('refused', /^0$/);
      expect(visit.errors).toEqual([]);
    }
    expect(there.fragment).toBe(here.fragment);
    expect(lastHere + lastThere).toBeGreaterThan(20);
  });

  it('is the same for all when two pages rotate at once', async () => {
    const here = await demo.visit();
    const there = await demo.visit(here.fragment);
    await Promise.all([here.press('rotate'), there.press('rotate')]);
    for (const visit of [here, there]) await visit.shows('generation', /^1$/);
    expect(there.fragment).toBe(here.fragment);
    await here.say('left', 'under the new key');
    await there.hears('right', 'under the new key');
    for (const visit of [here, there]) await visit.shows('refused', /^0$/);
  });

  it('shuts out a link to the key before, which is told so', async () => {
    const here = await demo.visit();
    const oldLink = here.fragment;
    await here.press('rotate');
    await here.shows('generation', /^1$/);
    const late = await demo.visit(oldLink);
    await late.shows('notice', /Your link has an old key/);
    await here.say('left', 'not for the late');
    await here.hears('right', 'not for the late');
    await expect.poll(() => late.page.locator('.row.is-refused').count()).toBeGreaterThan(0);
    expect(await late.texts('left')).not.toContain('not for the late');
    expect(await late.page.getAttribute('[data-part=rotate]', 'aria-disabled')).toBe('true');
    await late.value(`location.hash = ${JSON.stringify(here.fragment)}`);
    await late.notices('left', / joined$/);
    await here.say('left', 'now you are in');
    await late.hears('right', 'now you are in');
  });
});

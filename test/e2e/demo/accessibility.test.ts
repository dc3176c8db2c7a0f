import type { AxeResults } from 'axe-core';
import axe from 'axe-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/programs.ts';
import { Demo, NEEDS } from './demo.ts';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844 };

describeWith(NEEDS, 'the page for everybody', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await Demo.start();
  });
  afterEach(() => demo.leave());
  afterAll(() => demo.stop());

  it('has nothing for axe to find, in light and dark, on a desktop and a phone', async () => {
    const visit = await demo.visit('', { reducedMotion: 'reduce' }, axe.source);
    await visit.say('left', 'hello');
    await visit.hears('right', 'hello');
    await visit.press('invite');
    await visit.shows('notice', /link/);
    await visit.cut('left');
    await visit.offline('left');
    for (const viewport of [DESKTOP, PHONE]) {
      for (const colorScheme of ['light', 'dark'] as const) {
        await visit.page.setViewportSize(viewport);
        await visit.page.emulateMedia({ colorScheme });
        const { violations, passes } = await visit.value<AxeResults>('axe.run()');
        const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
        expect(found, `${colorScheme}, ${viewport.width}`).toEqual([]);
        expect(passes.length).toBeGreaterThan(20);
      }
    }
  });

  it('needs no scrolling of the page at any common size, with the composer in view', async () => {
    const visit = await demo.visit('', {});
    await visit.say('left', 'a-word-without-any-place-to-break-'.repeat(8));
    await visit.page.locator('[data-part=left] .is-own .trace').waitFor();
    for (const [width, height] of [
      [320, 568],
      [390, 844],
      [844, 390],
      [759, 900],
      [900, 700],
      [1280, 800],
    ] as const) {
      await visit.page.setViewportSize({ width, height });
      const size = await visit.value<number[]>(
        '[document.documentElement.scrollWidth, document.documentElement.scrollHeight]',
      );
      expect(size).toEqual([width, height]);
      const box = await visit.page.locator('[data-part=left] .send').boundingBox();
      expect((box?.x ?? 0) + (box?.width ?? 0), `${width}`).toBeLessThanOrEqual(width);
      expect((box?.y ?? 0) + (box?.height ?? 0), `${height}`).toBeLessThanOrEqual(height);
      expect(await visit.page.locator('[data-part=left] .log').evaluate((log) => log.clientHeight)).toBeGreaterThan(90);
    }
  });

  it('shows one person at a time on a phone, the conversation at its end', async () => {
    const visit = await demo.visit('', { viewport: { width: 390, height: 844 } });
    for (let i = 1; i <= 12; i++) await visit.say('left', `line ${i}`);
    await visit.hears('right', 'line 12');
    const last = visit.page.locator('[data-part=right] .bubble', { hasText: 'line 12' });
    expect(await last.isVisible()).toBe(false);
    await visit.page.locator('.switch input').last().check();
    await expect.poll(() => visit.page.locator('[data-part=left] .log').isVisible()).toBe(false);
    for (const list of ['[data-part=right] .log', '.sightings']) {
      const below = `(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('${list}'))`;
      await expect.poll(() => visit.value(below)).toBeLessThan(2);
    }
  });

  it('keeps the latest 200 lines of each list', async () => {
    const visit = await demo.visit();
    await visit.value(`(async () => {
      const input = document.querySelector('[data-part=left] [data-part=text]');
      for (let i = 1; i <= 230; i++) {
        input.value = 'line ' + i;
        input.form.requestSubmit();
      }
    })()`);
    await visit.hears('right', 'line 230');
    for (const list of ['[data-part=left] .log', '[data-part=right] .log', '.sightings']) {
      expect(await visit.page.locator(list).evaluate((found) => found.childElementCount)).toBe(200);
    }
  });
});

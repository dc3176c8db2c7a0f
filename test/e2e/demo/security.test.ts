import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/programs.ts';
import { Demo, NEEDS } from './demo.ts';

const WATCH = `globalThis.violations = [];
addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => violations.push([effectiveDirective, blockedURI]));`;

describeWith(NEEDS, 'the page in a browser', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await Demo.start();
  });
  afterEach(() => demo.leave());
  afterAll(() => demo.stop());

  it('asks its own origin alone, breaks no policy and logs no error, in a conversation with a rotation and a cut', async () => {
    const here = await demo.visit('', {}, WATCH);
    const there = await demo.visit(here.fragment, {}, WATCH);
    await here.say('left', 'hello');
    await there.hears('right', 'hello');
    await here.press('invite');
    await there.press('rotate');
    await here.shows('generation', /^1$/);
    await there.cut('left');
    await there.offline('left');
    await there.online('left');
    const origin = new URL(demo.url).origin;
    for (const visit of [here, there]) {
      for (const url of visit.requests) expect(new URL(url).origin.replace(/^ws/, 'http')).toBe(origin);
      expect(visit.requests.some((url) => url.includes('key='))).toBe(false);
      expect(visit.requests).toContain(`${origin.replace(/^http/, 'ws')}/v1/ws`);
      expect(await visit.value('violations')).toEqual([]);
      expect(visit.errors).toEqual([]);
    }
  });

  it('runs no script that was put into it, and reaches no other origin', async () => {
    const visit = await demo.visit('', {}, WATCH);
    const tried = (code: string): Promise<string> =>
      visit.value(`(async () => { try { ${code}; return 'done'; } catch { return 'blocked'; } })()`);
    const run = "'globalThis.ran = true'";
    await tried(`const script = document.createElement('script'); script.append(${run}); document.head.append(script)`);
    expect(await tried(`document.createElement('script').textContent = ${run}`)).toBe('blocked');
    expect(await tried(`document.createElement('img').setAttribute('onerror', ${run})`)).toBe('blocked');
    expect(await tried("document.body.innerHTML = '<b>x</b>'")).toBe('blocked');
    expect(await tried(`await fetch('${demo.adminUrl}/livez', { mode: 'no-cors' })`)).toBe('blocked');
    const sink = ['require-trusted-types-for', 'trusted-types-sink'];
    await expect
      .poll(() => visit.value<string[][]>('violations'))
      .toEqual([sink, sink, sink, sink, ['connect-src', `${demo.adminUrl}/livez`]]);
    expect(await visit.value('globalThis.ran')).toBeUndefined();
  });
});

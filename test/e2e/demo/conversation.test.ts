import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/programs.ts';
import { Demo, NEEDS } from './demo.ts';

describeWith(NEEDS, 'the demo page', () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await Demo.start();
  });
  afterEach(() => demo.leave());
  afterAll(() => demo.stop());

  it('passes what is said both ways, within a page and to another that opened its link, and nothing but ciphertext over the wire', async () => {
    const here = await demo.visit();
    const there = await demo.visit(here.fragment);
    await here.say('left', 'a canary sings');
    await there.say('right', 'another canary answers');
    for (const visit of [here, there]) {
      for (const side of ['left', 'right'] as const) {
        await visit.hears(side, 'a canary sings');
        await visit.hears(side, 'another canary answers');
      }
    }
    const name = await here.page.inputValue('[data-part=left] [data-part=name]');
    const bodies: Uint8Array[] = [];
    for (const wire of [...here.wires, ...there.wires]) {
      for (const bytes of wire.bytes) {
        expect(bytes.includes('canary')).toBe(false);
        expect(bytes.includes(`"${name}"`)).toBe(false);
        expect(bytes.includes(new URLSearchParams(here.fragment.slice(1)).get('key') ?? '')).toBe(false);
      }
      for (const frame of [...wire.sent, ...wire.received]) if (frame[0] === 4) bodies.push(frame[5] as Uint8Array);
    }
    expect(bodies.length).toBeGreaterThan(10);
    for (const body of bodies) expect(body[0]).toBeGreaterThanOrEqual(0xe0); // docs/ENCRYPTION.md, section 2
  });

  it('shows each frame that reaches the relay once, with its sender, number and size', async () => {
    const here = await demo.visit();
    const there = await demo.visit(here.fragment);
    await there.say('left', 'from elsewhere');
    await here.say('right', 'from here');
    await here.hears('left', 'from here');
    await here.hears('left', 'from elsewhere');
    const onWires = new Map<number, string>();
    for (const wire of here.wires) {
      for (const [type, , seq, sender, , body] of wire.received) {
        if (type === 4) onWires.set(Number(seq), `${sender} #${seq} ${(body as Uint8Array).length} B`);
      }
    }
    const rows = await here.page.locator('.sightings .row').evaluateAll((items) =>
      items.map((item) => {
        const text = (name: string): string => item.querySelector(`.row-${name}`)?.textContent ?? '';
        return `${text('sender').replace('connection ', '')} ${text('seq')} ${text('size')}`;
      }),
    );
    expect(rows.filter((row) => row.includes('#')).sort()).toEqual([...onWires.values()].sort());
    await here.page.locator('[data-part=left] .bubble', { hasText: 'from elsewhere' }).locator('.trace').click();
    const focused = await here.value('document.activeElement.textContent');
    expect(focused).toContain(String(await there.senderOf('left')));
  });

  it('says who joins, who is called something else, and who leaves', async () => {
    const here = await demo.visit();
    const there = await demo.visit(here.fragment);
    const name = there.page.locator('[data-part=left] [data-part=name]');
    await name.fill('Grace');
    await name.press('Enter');
    await here.notices('left', /is now called Grace$/);
    await here.shows('left', /with .*Grace/);
    await there.page.close();
    await here.notices('left', /^Grace left$/);
  });

  it('lets a person write and send by the keyboard alone, in the pane of their choice', async () => {
    const visit = await demo.visit();
    const other = await demo.visit(visit.fragment);
    const { keyboard } = visit.page;
    const focused = (): Promise<string> => visit.value('document.activeElement.dataset.part');
    const tabToText = async (): Promise<void> => {
      for (let presses = 0; presses === 0 || (await focused()) !== 'text'; presses++) {
        expect(presses).toBeLessThan(10);
        await keyboard.press('Tab');
      }
    };
    await tabToText();
    await keyboard.type('typed on the left');
    await keyboard.press('Enter');
    expect(await focused()).toBe('text'); // and goes on there
    await other.hears('right', 'typed on the left');
    await tabToText();
    await keyboard.type('typed on the right');
    await keyboard.press('Tab');
    await keyboard.press('Space');
    await other.hears('right', 'typed on the right');
    expect(visit.errors).toEqual([]);
  });

  it('has one conversation speak to a screen reader at a time: that of the person in use', async () => {
    const { page } = await demo.visit();
    const live = () =>
      page.locator('[role=log]').evaluateAll((logs) => logs.map((log) => log.getAttribute('aria-live')));
    expect(await live()).toEqual(['polite', 'off']);
    await page.focus('[data-part=right] [data-part=text]');
    expect(await live()).toEqual(['off', 'polite']);
  });

  it('makes a new room of a link that cannot be read, and says so; and goes to another when the link changes', async () => {
    const there = await demo.visit();
    const here = await demo.visit('#key=abc&generation=0');
    await here.shows('notice', /could not be read, so this is a new room/);
    expect(here.fragment).toMatch(/^#key=[\w-]{43}&generation=0&blind=[\w-]{43}$/);
    await here.say('left', 'alone here');
    await here.hears('right', 'alone here');
    await here.value(`location.hash = ${JSON.stringify(there.fragment)}`);
    await there.notices('left', / joined$/);
    await there.shows('left', /with \S+, \S+, \S+/);
    await here.shows('right', /online as/);
    expect(await here.texts('left')).toEqual([]);
    await here.say('left', 'in the other room');
    await there.hears('right', 'in the other room');
    expect(await there.texts('left')).not.toContain('alone here');
  });

  it('copies its link', async () => {
    const here = await demo.visit('', { permissions: ['clipboard-read', 'clipboard-write'] });
    await here.press('invite');
    await here.shows('notice', /The link is copied/);
    const copied = await here.value('navigator.clipboard.readText()');
    expect(copied).toBe(here.page.url());
  });
});

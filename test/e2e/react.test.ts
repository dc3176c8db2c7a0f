import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.ts';
import type { Program } from '../support/cli.ts';
import { runExample, serveTokens, type TokenEndpoint } from '../support/examples.ts';
import { describeWith } from '../support/programs.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

/** Bound of every wait in the page. */
const WAIT_MS = 20_000;

describeWith(['chromium'], 'the React example in Chromium', () => {
  let browser: Browser;
  let relay: TestRelay;
  let tokens: TokenEndpoint;
  let server: Program;
  let address: string;
  const errors: Error[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    relay = await startTestRelay();
    tokens = await serveTokens(() => relay.mint());
    server = runExample('react/serve.ts', { RELAY_URL: relay.url, TOKEN_URL: tokens.url, PORT: '0' });
    [, address = ''] = await server.output(/open (http:\S+)/);
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await server.stop();
    tokens.stop();
    await stopRelays();
    expect(errors.splice(0)).toEqual([]);
  });

  const status = (page: Page, text: string): Promise<void> =>
    page.getByRole('status').filter({ hasText: text }).waitFor({ timeout: WAIT_MS });
  const hears = (page: Page, text: string): Promise<void> =>
    page.getByRole('listitem').filter({ hasText: text }).waitFor({ timeout: WAIT_MS });

  async function visit(url: string): Promise<Page> {
    const page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(error));
    await page.goto(url);
    await status(page, 'room.1: attached');
    return page;
  }

  /** Two tabs with the same key. */
  async function visitTwice(): Promise<[Page, Page]> {
    const first = await visit(address);
    return [first, await visit(first.url())];
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByLabel('message').fill(text);
    await page.getByRole('button', { name: 'say' }).click();
  }

  const press = (page: Page, name: string): Promise<void> =>
    page.getByRole('button', { name, exact: true }).click({ timeout: WAIT_MS });

  async function inUse(): Promise<Record<string, number>> {
    const rows = (await relay.metrics()).matchAll(/^mayfly_(connections|attachments|channels) (\d+)$/gm);
    return Object.fromEntries([...rows].map(([, name, count]) => [name, Number(count)]));
  }

  const inUseSoon = () => expect.poll(inUse, { timeout: WAIT_MS, interval: 10 });

  it('lets two tabs with the same address talk', async () => {
    const [first, second] = await visitTwice();
    await say(first, 'hello');
    await Promise.all([hears(first, 'hello'), hears(second, 'hello')]);
    await say(second, 'and hello to you');
    await Promise.all([hears(first, 'and hello to you'), hears(second, 'and hello to you')]);
    expect(await first.getByRole('listitem').allTextContents()).toEqual(['hello', 'and hello to you']);
  });

  it('has one connection and one attachment a tab, though StrictMode mounts everything twice', async () => {
    expect(await (await fetch(`${address}app.js`)).text()).toContain('doubleInvokeEffects');
    await visitTwice();
    expect(await inUse()).toEqual({ connections: 2, attachments: 2, channels: 1 });
  });

  it('leaves no channel behind when it changes them faster than they attach', async () => {
    const [first, second] = await visitTwice();
    expect(await first.locator('nav button').evaluateAll(pressAround, 31)).toBe(31);
    await press(second, 'room.2');
    await Promise.all([status(first, 'room.2: attached'), status(second, 'room.2: attached')]);
    await say(second, 'here now');
    await hears(first, 'here now');
    await inUseSoon().toEqual({ connections: 2, attachments: 2, channels: 1 });
    for (const room of ['room.1', 'room.3', 'room.1', 'room.2']) {
      await press(first, room);
      await status(first, `${room}: attached`);
    }
    await inUseSoon().toEqual({ connections: 2, attachments: 2, channels: 1 });
  });

  it('closes its connection when the component unmounts, and opens another when it is back', async () => {
    const [first, second] = await visitTwice();
    await press(first, 'leave');
    await inUseSoon().toEqual({ connections: 1, attachments: 1, channels: 1 });
    await press(first, 'room.1');
    await status(first, 'room.1: attached');
    await say(second, 'welcome back');
    await hears(first, 'welcome back');
    expect(await inUse()).toEqual({ connections: 2, attachments: 2, channels: 1 });
  });

  it('counts what does not decrypt, and shows none of it', async () => {
    const [first, stranger] = [await visit(address), await visit(address)];
    await say(stranger, 'another key');
    await status(first, '1 refused');
    expect(await first.getByRole('listitem').count()).toBe(0);
  });

  it('says that the relay went away', async () => {
    const page = await visit(address);
    await relay.relay.stop();
    await status(page, 'reconnecting');
  });
});

/** A button in the page: this file is checked without the browser's types. */
interface Button {
  readonly disabled: boolean;
  click(): void;
}

/** In the page: goes round the first three buttons, `count` presses, without waiting for anything but React. Returns how many took effect. */
async function pressAround(buttons: readonly Button[], count: number): Promise<number> {
  let effective = 0;
  for (let i = 1; i <= count; i++) {
    const button = buttons[i % 3];
    button?.click();
    await Promise.resolve();
    if (button?.disabled === true) effective++;
  }
  return effective;
}

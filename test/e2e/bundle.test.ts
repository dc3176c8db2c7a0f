import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ChannelKey, connect } from '../../src/client/node.ts';
import { launchChromium } from '../support/chromium.ts';
import { describeWith } from '../support/programs.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';

const BUNDLE = new URL('../../dist/client/mayfly.min.js', import.meta.url);

/** What a page writes with the SDK from a script tag, as docs/CLIENT.md says: nothing is built. */
const PAGE = `<!doctype html><script type="module">
  import { ChannelKey, connect } from '/mayfly.min.js';
  globalThis.talk = async (url, token, key, heard) => {
    const relay = await connect(url, { token });
    const room = await relay.channel('room', { key: ChannelKey.fromBytes(Uint8Array.from(key)), presence: true });
    room.on('message', ({ text }) => room.publish('page heard ' + text));
    room.on('refused', ({ reason }) => heard('refused ' + reason));
    await room.presence.enter('page');
    globalThis.isReady = true;
  };
</script>`;

describeWith(['chromium'], 'the SDK in one file', () => {
  let browser: Browser;
  let server: Server;
  let relay: TestRelay;
  beforeAll(async () => {
    const script = await readFile(BUNDLE);
    server = createServer((request, response) => {
      const isScript = request.url === '/mayfly.min.js';
      if (request.url === '/closed') response.setHeader('Content-Security-Policy', "connect-src 'self'");
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html').end(isScript ? script : PAGE);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    relay = await startTestRelay();
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser.close();
    server.close();
    await stopRelays();
  });

  it('runs from a script tag in a browser, and talks with a member in Node under one key', async () => {
    const key = ChannelKey.random();
    const member = await connect(relay.url, { token: await relay.mint() });
    const room = await member.channel('room', { key, presence: true });
    const texts: string[] = [];
    room.on('message', ({ text }) => texts.push(text));
    const page = await browser.newPage();
    const wrong: string[] = [];
    page.on('console', (line) => line.type() === 'error' && wrong.push(line.text()));
    page.on('pageerror', (error) => wrong.push(String(error)));
    await page.exposeFunction('heard', (text: string) => wrong.push(text));
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/`);
    const task = JSON.stringify([relay.url, await relay.mint(), [...key.toBytes()]]);
    await page.evaluate(`talk(...${task}, heard)`);
    await expect.poll(() => room.presence.members.map(({ text }) => text)).toEqual(['page']);
    await room.publish('hello');
    await expect.poll(() => texts, { timeout: 10_000 }).toEqual(['page heard hello']);
    expect(wrong.filter((line) => !line.includes('favicon'))).toEqual([]);
    await member.close();
  });

  it('says without waiting that the policy of the page forbids the relay, in a browser that tells only of an error', async () => {
    const page = await browser.newPage();
    const { port } = server.address() as AddressInfo;
    await page.goto(`http://127.0.0.1:${port}/closed`);
    const failing = `(async () => {
      const { connect } = await import('/mayfly.min.js');
      const options = { token: 'token', connectTimeoutMs: 2 ** 31 - 1 };
      const { code, message } = await connect(${JSON.stringify(relay.url)}, options).catch((error) => error);
      return [code, message];
    })()`;
    const [code, message] = (await page.evaluate(failing)) as [string, string];
    expect(code).toBe('connection_failed');
    expect(message).toContain('Content-Security-Policy');
  });
});

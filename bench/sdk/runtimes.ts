import { fork } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { launchChromium } from '../../test/support/chromium.ts';
import type { Rates, Task } from './measure.ts';

/** Where the SDK runs. Each measurement begins in a fresh process or page. */
export interface Runtime {
  readonly name: string;
  send(task: Task): Promise<Rates>;
  /** `onReady` is called once the receiver listens. */
  receive(task: Task, onReady: () => void): Promise<number>;
  stop(): Promise<void>;
}

/** Node, this version of it. */
export function nodeRuntime(): Runtime {
  return {
    name: `Node.js ${process.versions.node}`,
    send: (task) => inChild('sending', task, () => {}) as Promise<Rates>,
    receive: (task, onReady) => inChild('receiving', task, onReady) as Promise<number>,
    stop: async () => {},
  };
}

function inChild(what: 'sending' | 'receiving', task: Task, onReady: () => void): Promise<unknown> {
  const child = fork(pathOf('node-runtime.ts'), { execArgv: ['--import', 'tsx'] });
  return new Promise((resolve, reject) => {
    child.on('message', (message: { ready?: true; result?: unknown }) => {
      if (message.ready === true) onReady();
      else resolve(message.result);
    });
    child.once('exit', (code) => reject(new Error(`the Node process ended with ${code}`)));
    child.send({ what, task });
  });
}

/** The machine's Chromium, on a page served from loopback. */
export async function chromiumRuntime(): Promise<Runtime> {
  const { outputFiles } = await build({
    entryPoints: [pathOf('browser-runtime.ts')],
    bundle: true,
    minify: true,
    format: 'iife',
    target: 'es2022',
    write: false,
  });
  const script = outputFiles[0]?.text ?? '';
  const server = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const browser = await launchChromium();
  const onPage = async <T>(act: (page: Page) => Promise<T>, onReady: () => void = () => {}): Promise<T> => {
    const page = await browser.newPage();
    await page.exposeFunction('ready', onReady);
    await page.goto(`http://127.0.0.1:${port}`);
    await page.addScriptTag({ content: script });
    const result = await act(page);
    await page.close();
    return result;
  };
  return {
    name: `Chromium ${browser.version()}`,
    send: (task) =>
      onPage((page) =>
        page.evaluate(
          (given) => (globalThis as unknown as { sending(task: Task): Promise<Rates> }).sending(given),
          task,
        ),
      ),
    receive: (task, onReady) =>
      onPage(
        (page) =>
          page.evaluate(
            (given) => (globalThis as unknown as { receiving(task: Task): Promise<number> }).receiving(given),
            task,
          ),
        onReady,
      ),
    stop: async () => {
      await browser.close();
      server.close();
    },
  };
}

function pathOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

import { decodeMulti } from '@msgpack/msgpack';
import type { Page, WebSocket } from 'playwright-core';
import { expect } from 'vitest';

/** The two people of a page. */
export type Side = 'left' | 'right';

/** One WebSocket of the page: every frame, as another msgpack library reads it, and the bytes they came in. */
export interface Wire {
  readonly url: string;
  readonly sent: unknown[][];
  readonly received: unknown[][];
  readonly bytes: Buffer[];
}

const WAIT = { timeout: 20_000, interval: 100 };

/** One page of the demo in a browser: what is done there, what is to be seen there, and all that went over its wires. */
export class Visit {
  readonly page: Page;
  readonly wires: Wire[] = [];
  /** The URL of every request, WebSockets among them. */
  readonly requests: string[] = [];
  /** What the console called an error, and what nobody caught. */
  readonly errors: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => message.type() === 'error' && this.errors.push(message.text()));
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('request', (request) => this.requests.push(request.url()));
    page.on('websocket', (socket) => this.#record(socket));
  }

  static async open(page: Page, url: string): Promise<Visit> {
    const visit = new Visit(page);
    await page.goto(url);
    for (const side of ['left', 'right'] as const) await visit.online(side);
    return visit;
  }

  get fragment(): string {
    return new URL(this.page.url()).hash;
  }

  async online(side: Side): Promise<void> {
    await this.page.waitForSelector(`[data-part=${side}][data-state=online]`, { state: 'attached' });
  }

  async offline(side: Side): Promise<void> {
    await this.page.waitForSelector(`[data-part=${side}][data-state=offline]`, { state: 'attached' });
  }

  /** Writes a message as a person would. */
  async say(side: Side, text: string): Promise<void> {
    const input = this.page.locator(`[data-part=${side}] [data-part=text]`);
    await input.fill(text);
    await input.press('Enter');
  }

  /** Has both people say numbered messages, some fifty a second each, until `isEnough`; returns the last number. */
  async chatter(word: string, isEnough: () => boolean): Promise<number> {
    let last = 0;
    while (!isEnough()) {
      const handful = [1, 2, 3].map((i) => last + i);
      await this.value(`new Promise((resolve) => {
        for (const number of ${JSON.stringify(handful)}) {
          for (const side of ['left', 'right']) {
            const input = document.querySelector('[data-part=' + side + '] [data-part=text]');
            input.value = ['${word}', side, number].join(' ');
            input.form.requestSubmit();
          }
        }
        setTimeout(resolve, 60);
      })`);
      last += handful.length;
    }
    return last;
  }

  /** What an expression of the page's own world is worth. */
  value<T>(expression: string): Promise<T> {
    return this.page.evaluate(expression) as Promise<T>; // the caller knows
  }

  press(name: 'rotate' | 'invite'): Promise<void> {
    return this.page.dispatchEvent(`[data-part=${name}]`, 'click');
  }

  cut(side: Side): Promise<void> {
    return this.page.click(`[data-part=${side}] [data-part=cut]`);
  }

  /** The texts of a person's bubbles, own ones among them. */
  texts(side: Side): Promise<string[]> {
    return this.page.locator(`[data-part=${side}] .bubble-text`).allTextContents();
  }

  /** The lines of a person's conversation about what happened. */
  notes(side: Side): Promise<string[]> {
    return this.page.locator(`[data-part=${side}] .note`).allTextContents();
  }

  part(name: string): Promise<string | null> {
    return this.page.textContent(`[data-part=${name}]`);
  }

  /** Waits for a message in a person's conversation. */
  async hears(side: Side, text: string): Promise<void> {
    await expect.poll(() => this.texts(side), WAIT).toContain(text);
  }

  /** Waits for a line that matches, and returns it. */
  async notices(side: Side, pattern: RegExp): Promise<string> {
    await expect.poll(() => this.notes(side), WAIT).toContainEqual(expect.stringMatching(pattern));
    return (await this.notes(side)).findLast((line) => pattern.test(line)) ?? '';
  }

  /** Waits until a part of the page says something. */
  async shows(name: string, pattern: RegExp): Promise<void> {
    await expect.poll(() => this.part(name), WAIT).toMatch(pattern);
  }

  /** The wires that a connection id is of, by their WELCOME. */
  wireOf(sender: number): Wire | undefined {
    return this.wires.find(({ received }) => received.some(([type, id]) => type === 16 && id === sender));
  }

  /** The connection id that a person's pane shows. */
  async senderOf(side: Side): Promise<number> {
    return Number(await this.page.textContent(`[data-part=${side}] [data-part=state] code`));
  }

  #record(socket: WebSocket): void {
    const wire: Wire = { url: socket.url(), sent: [], received: [], bytes: [] };
    this.wires.push(wire);
    this.requests.push(socket.url());
    const into =
      (frames: unknown[][]) =>
      ({ payload }: { payload: string | Buffer }) => {
        const bytes = Buffer.from(payload);
        wire.bytes.push(bytes);
        frames.push(...([...decodeMulti(bytes)] as unknown[][]));
      };
    socket.on('framesent', into(wire.sent));
    socket.on('framereceived', into(wire.received));
  }
}

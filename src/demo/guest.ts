import { randomText } from './base64url.ts';

/** Who a person is to the relay: the same user in every token, so that a connection can renew its own. */
export class Guest {
  readonly id = randomText(16);
  #barredUntilMs = 0;

  /** When this guest may connect again; long past, unless it was barred. */
  get barredUntilMs(): number {
    return this.#barredUntilMs;
  }

  /** Gets no token for so long. The SDK waits for it, and connects by itself when it comes. */
  bar(ms: number): void {
    this.#barredUntilMs = Date.now() + ms;
  }

  /** A fresh token, from the page's own origin. */
  async token(): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, this.#barredUntilMs - Date.now()));
    const answer = await fetch('/demo/token', { method: 'POST', body: this.id });
    if (!answer.ok) throw new TypeError(`no token: ${answer.status}`);
    return answer.text();
  }
}

import { createHash, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { launchChromium } from '../../support/chromium.ts';
import { mayfly, type Program } from '../../support/cli.ts';
import { makeCertificate } from '../../support/programs.ts';
import { Visit } from './visit.ts';

/** The programs these tests need. */
export const NEEDS = ['chromium', 'openssl'] as const;

/** A development relay over https and wss, run as a user does, and a browser that trusts its certificate and no other. */
export class Demo {
  readonly url: string;
  readonly adminUrl: string;
  readonly #folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #browser: Browser;
  #relay: Program;
  /** Pages of earlier visits: to start one costs more than all that most tests do. */
  #idle: Page[] = [];
  readonly #own = new Set<BrowserContext>();

  private constructor(folder: string, env: Readonly<Record<string, string>>, relay: Program, browser: Browser) {
    this.#folder = folder;
    this.#browser = browser;
    this.#relay = relay;
    this.url = /demo +(\S+)/.exec(relay.stdout)?.[1] ?? '';
    this.adminUrl = /admin +(\S+)\/metrics/.exec(relay.stdout)?.[1] ?? '';
    this.#env = { ...env, MAYFLY_LISTEN_PORT: new URL(this.url).port, MAYFLY_ADMIN_PORT: new URL(this.adminUrl).port };
  }

  static async start(): Promise<Demo> {
    const folder = mkdtempSync(join(tmpdir(), 'mayfly-test-'));
    const { certFile, keyFile } = makeCertificate(folder, 'cert');
    const env = {
      MAYFLY_LISTEN_PORT: '0',
      MAYFLY_LISTEN_TLS_CERT_FILE: certFile,
      MAYFLY_LISTEN_TLS_KEY_FILE: keyFile,
      MAYFLY_ADMIN_PORT: '0',
      MAYFLY_LIMITS_DRAIN_TIMEOUT_MS: '0',
    };
    const relay = await listening(env);
    const spki = new X509Certificate(readFileSync(certFile)).publicKey.export({ type: 'spki', format: 'der' });
    const trusted = createHash('sha256').update(spki).digest('base64');
    const browser = await launchChromium(`--ignore-certificate-errors-spki-list=${trusted}`);
    return new Demo(folder, env, relay, browser);
  }

  /** Opens the page and waits until both people are online. With options, in a browser profile of its own; `script` runs ahead of the page. */
  async visit(fragment = '', options?: BrowserContextOptions, script = ''): Promise<Visit> {
    const page = options === undefined ? this.#idle.pop() : undefined;
    if (page !== undefined) return Visit.open(page, this.url + fragment);
    const context = await this.#browser.newContext({ reducedMotion: 'reduce', ...options });
    if (options !== undefined) this.#own.add(context);
    if (script !== '') await context.addInitScript(script);
    return Visit.open(await context.newPage(), this.url + fragment);
  }

  /** Kills the relay as a crash would. */
  async kill(): Promise<void> {
    await this.#relay.stop('SIGKILL');
  }

  /** Starts it again on the same port; its keys are others. */
  async revive(): Promise<void> {
    this.#relay = await listening(this.#env);
  }

  /** Ends every visit. */
  async leave(): Promise<void> {
    await Promise.all([...this.#own].map((context) => context.close()));
    this.#own.clear();
    this.#idle = this.#browser.contexts().flatMap((context) => context.pages());
    for (const page of this.#idle) page.removeAllListeners();
    await Promise.all(this.#idle.map((page) => page.goto('about:blank')));
  }

  async stop(): Promise<void> {
    await this.#browser.close();
    await this.#relay.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

async function listening(env: Readonly<Record<string, string>>): Promise<Program> {
  const relay = mayfly(['serve'], env);
  await relay.output(/Ctrl-C stops/);
  return relay;
}

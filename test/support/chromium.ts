import { execFileSync } from 'node:child_process';
import { type Browser, chromium } from 'playwright-core';

/** Talks to nobody by itself. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Starts the machine's Chromium without a window, with more flags if need be. */
export function launchChromium(...more: readonly string[]): Promise<Browser> {
  const executablePath = execFileSync('which', ['chromium'], { encoding: 'utf8' }).trim();
  return chromium.launch({ executablePath, headless: true, args: [...ARGS, ...more] });
}

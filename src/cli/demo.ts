import { readFile } from 'node:fs/promises';
import { isLoopback } from '../config/checks.ts';
import type { Site, SiteFile } from '../edge/site.ts';
import { type Development, EVERYTHING } from './development.ts';

const FOLDER = new URL('../demo/', import.meta.url);
const TOKEN_SECONDS = 3600;

/** What is served where: path, file in `dist/demo`, media type. */
const FILES = [
  ['/', 'index.html', 'text/html; charset=utf-8'],
  ['/demo/main.js', 'main.js', 'text/javascript; charset=utf-8'],
  ['/demo/main.js.map', 'main.js.map', 'application/json'],
  ['/demo/style.css', 'style.css', 'text/css; charset=utf-8'],
  ['/demo/style.css.map', 'style.css.map', 'application/json'],
  ['/demo/icon.svg', 'icon.svg', 'image/svg+xml'],
] as const;

/** The demo page, its files read now, with tokens of an hour for its guests. There is none off loopback: it gives a token to anybody. */
export async function demoSite({ loaded, mint }: Development): Promise<Site | undefined> {
  if (!isLoopback(loaded.config.listen.host)) return undefined;
  const files = new Map<string, SiteFile>();
  for (const [path, name, type] of FILES)
    files.set(path, { type, body: await readFile(new URL(name, FOLDER), 'utf8') });
  return { files, token: (guest) => mint(`guest-${guest}`, TOKEN_SECONDS, EVERYTHING) };
}

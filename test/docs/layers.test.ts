import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** What each room may import of ours, and of others: the table in ARCHITECTURE.md. */
const MAY_IMPORT: Readonly<Record<string, { readonly rooms: readonly string[]; readonly packages: RegExp }>> = {
  protocol: { rooms: [], packages: /^msgpackr\/pack$/ },
  core: { rooms: ['protocol'], packages: /^$/ },
  auth: { rooms: ['core', 'protocol', 'errors.ts', 'json.ts'], packages: /^(jose|node:crypto)$/ },
  config: { rooms: ['auth', 'core', 'protocol', 'errors.ts', 'json.ts'], packages: /^(valibot|node:.*)$/ },
  telemetry: { rooms: ['core'], packages: /^(prom-client|pino|node:(perf_hooks|stream))$/ },
  edge: {
    rooms: ['core', 'protocol', 'telemetry', 'errors.ts', 'json.ts'],
    packages: /^(uWebSockets\.js|uws-pack|valibot|node:(crypto|fs|http|module|net|perf_hooks))$/,
  },
  client: { rooms: ['protocol'], packages: /^ws$/ },
  demo: { rooms: ['client', 'protocol'], packages: /^$/ },
  cli: {
    rooms: ['auth', 'client', 'config', 'core', 'edge', 'protocol', 'telemetry', 'errors.ts', 'relay.ts'],
    packages: /^(commander|jose|node:.*)$/,
  },
  'relay.ts': {
    rooms: ['auth', 'config', 'core', 'edge', 'protocol', 'telemetry', 'errors.ts'],
    packages: /^node:crypto$/,
  },
  'index.ts': { rooms: ['config', 'telemetry', 'errors.ts', 'relay.ts'], packages: /^$/ },
  'errors.ts': { rooms: [], packages: /^$/ },
  'json.ts': { rooms: [], packages: /^$/ },
};

/** Packages that one file alone may import. */
const ONE_FILE: Readonly<Record<string, string>> = {
  'uWebSockets.js': 'edge/uws.ts',
  'uws-pack': 'edge/uws.ts',
  'msgpackr/pack': 'protocol/codec.ts',
};

/** Files of the SDK that may import packages; the rest must run in browsers. */
const NODE_ONLY = ['client/node.ts'];

/** All of the SDK that the demo may know: what any app may. */
const SDK = 'client/index.ts';

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));

function importsOf(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, specifier = '']) => specifier);
}

const roomOf = (file: string): string => file.split('/')[0] ?? file;

describe('the layers', () => {
  it.each(files)('are kept by %s', (file) => {
    const rule = MAY_IMPORT[roomOf(file)];
    expect(rule, `no rule for ${roomOf(file)}`).toBeDefined();
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) {
        const target = relative(SRC, resolve(SRC, dirname(file), specifier));
        if (roomOf(file) === 'demo' && roomOf(target) === 'client') expect(target).toBe(SDK);
        if (roomOf(target) !== roomOf(file)) expect(rule?.rooms, `${file} imports ${target}`).toContain(roomOf(target));
      } else {
        expect(specifier, `${file} imports ${specifier}`).toMatch(rule?.packages ?? /^$/);
        if (roomOf(file) === 'client') expect(NODE_ONLY).toContain(file);
        if (specifier in ONE_FILE) expect(file).toBe(ONE_FILE[specifier]);
      }
    }
  });

  it('have no file over 300 lines', () => {
    const long = files.filter((file) => readFileSync(join(SRC, file), 'utf8').split('\n').length > 301);
    expect(long).toEqual([]);
  });
});

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OVERRIDES } from '../../src/config/environment.ts';
import { CLOSE_CODE, ERROR_STATUS } from '../../src/protocol/codes.ts';
import { CLIENT_SHAPES, FrameType, RELAY_SHAPES } from '../../src/protocol/frames.ts';
import { METRICS } from '../../src/telemetry/metrics.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(`${ROOT}/${file}`, 'utf8');
const protocol = read('docs/PROTOCOL.md');
const operations = read('docs/OPERATIONS.md');

/** The first groups of every match, as rows. */
function rows(text: string, pattern: RegExp): string[][] {
  return [...text.matchAll(pattern)].map((match) => match.slice(1));
}

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Every setting of the shipped JSON Schema: dotted path, default, range. */
function settings(schema: JsonSchema, path: string[] = []): { path: string; schema: JsonSchema }[] {
  const children = Object.entries(schema.properties ?? {});
  if (path.at(-1) === 'jwk' || path.at(-1) === 'grants') return [{ path: path.join('.'), schema }];
  if (children.length > 0) return children.flatMap(([name, child]) => settings(child, [...path, name]));
  if (typeof schema.additionalProperties === 'object') return settings(schema.additionalProperties, [...path, 'NAME']);
  if (schema.items?.properties !== undefined)
    return [{ path: path.join('.'), schema }, ...settings(schema.items, path)];
  return [{ path: path.join('.'), schema }];
}

describe('docs/PROTOCOL.md', () => {
  it('has a row for every error code with its status, and no other', () => {
    const documented = rows(protocol, /^\| (\d{3}) \| `(\w+)` \|/gm).map(([status, code]) => [code, Number(status)]);
    expect(Object.fromEntries(documented)).toEqual(ERROR_STATUS);
  });

  it('has a heading for every close code, and no other', () => {
    const documented = rows(protocol, /^### (\d{4}) (\w+)$/gm).map(([code, name]) => [name, Number(code)]);
    expect(Object.fromEntries(documented)).toEqual(CLOSE_CODE);
  });

  it('has a row for every frame with its type and the length of its array', () => {
    const documented = rows(protocol, /^\| (\d+) \| ([A-Z]+) \| .* \| `\[(.*)\]` \|$/gm);
    expect(Object.fromEntries(documented.map(([type, name]) => [name, Number(type)]))).toEqual(FrameType);
    for (const [type, , array = ''] of documented) {
      const shape = CLIENT_SHAPES[Number(type)] ?? RELAY_SHAPES[Number(type)];
      expect(array.split(',')).toHaveLength((shape?.length ?? 0) + 1);
    }
  });
});

describe('docs/OPERATIONS.md', () => {
  const schema = JSON.parse(read('config.schema.json')) as JsonSchema;

  it('has a row for every setting with its default and range, and no other', () => {
    const documented = rows(operations, /^\| `((?:listen|admin|tenants|limits|cors)[\w.]*)` \| (.*?) \| (.*?) \|/gm);
    const known = settings(schema).filter(({ path }) => path !== '$schema');
    expect(documented.map(([path]) => path).sort()).toEqual(known.map(({ path }) => path).sort());
    for (const { path, schema: setting } of known) {
      const [, shown = '', range = ''] = documented.find(([name]) => name === path) ?? [];
      if (['string', 'number', 'boolean'].includes(typeof setting.default)) {
        expect(shown.replaceAll('`', ''), path).toBe(String(setting.default));
      }
      if (setting.minimum !== undefined)
        expect(range, path).toMatch(new RegExp(`^${setting.minimum}–${setting.maximum}`));
    }
  });

  it('has a row for every metric, and no other', () => {
    const documented = rows(operations, /^\| `(mayfly_\w+)` \|/gm);
    expect(documented.map(([name]) => name).sort()).toEqual(Object.keys(METRICS).sort());
  });

  it('has a row for every command', () => {
    const commands = ['serve', 'token', 'keygen', 'pub', 'sub'];
    const help = execFileSync(`${ROOT}/bin/mayfly`, ['--help'], { encoding: 'utf8' });
    expect(rows(help, /^ {2}(\w+) .*$/gm).map(([name]) => name)).toEqual(expect.arrayContaining(commands));
    const documented = new Set(rows(operations, /^\| `mayfly (\w+)/gm).map(([name]) => name));
    expect([...documented].sort()).toEqual([...commands].sort());
  });

  it('names every option of every command', () => {
    for (const command of [
      ['serve'],
      ['token', 'mint'],
      ['token', 'inspect'],
      ['token', 'explain'],
      ['keygen'],
      ['pub'],
      ['sub'],
    ]) {
      const help = execFileSync(`${ROOT}/bin/mayfly`, [...command, '--help'], { encoding: 'utf8' });
      for (const [option] of rows(help, /^ {2}(?:-\w, )?(--[a-z-]+)/gm)) {
        if (option !== '--help') expect(operations, command.join(' ')).toContain(option);
      }
    }
  });

  it('shows environment variables that exist', () => {
    const known = new Set([
      ...OVERRIDES.map(({ variable }) => variable),
      'MAYFLY_CONFIG',
      'MAYFLY_TOKEN',
      'MAYFLY_KEY',
      'MAYFLY_',
    ]);
    for (const [name = ''] of rows(operations, /`(MAYFLY_\w*)`/g)) expect(known).toContain(name);
  });
});

describe('docs/CLIENT.md', () => {
  const client = read('docs/CLIENT.md');
  const section = (heading: string): string => new RegExp(`^## ${heading}$(.*?)^## `, 'ms').exec(client)?.[1] ?? '';
  const firstColumn = (text: string): string[] => rows(text, /^\| `(\w+)` \|/gm).map(([name = '']) => name);
  /** What a type declared in a file of the SDK names: members of an interface, or alternatives of a union. */
  const declared = (file: string, type: string, member: RegExp): string[] => {
    const [, body = ''] =
      new RegExp(`(?:type|interface) ${type} (.*?)^(?:}|$)`, 'ms').exec(read(`src/client/${file}`)) ?? [];
    return rows(body, member).map(([name = '']) => name);
  };
  const MEMBER = /^ {2}(?:readonly )?(\w+)\??:/gm;
  const ALTERNATIVE = /'(\w+)'/g;

  it('has a row for every option and event of a connection, and no other', () => {
    const options = declared('connect.ts', 'ConnectOptions', MEMBER);
    const events = declared('relay-events.ts', 'RelayEvents', MEMBER);
    expect(events.length).toBeGreaterThan(5);
    expect(firstColumn(section('Connecting')).sort()).toEqual([...options, 'ca', ...events].sort());
  });

  it('has a row for every option and event of a channel, and no other', () => {
    const options = ['CommonOptions', 'EncryptedOptions', 'PresenceOptions', 'PlaintextOptions'].flatMap((type) =>
      declared('channel-options.ts', type, MEMBER),
    );
    const events = declared('inbox.ts', 'ChannelEvents', MEMBER);
    expect(firstColumn(section('Channels')).sort()).toEqual([...new Set([...options, ...events])].sort());
  });

  it('has a row for every code of the SDK and every cause of a loss, and names every reason and encryption code', () => {
    expect(firstColumn(section('Errors')).sort()).toEqual(declared('errors.ts', 'ClientErrorCode', ALTERNATIVE).sort());
    expect(firstColumn(section('Loss')).sort()).toEqual(declared('loss.ts', 'LossCause', ALTERNATIVE).sort());
    for (const reason of declared('crypto/errors.ts', 'OpenRefusal', ALTERNATIVE))
      expect(section('Keys')).toContain(`\`${reason}\``);
    for (const code of declared('crypto/errors.ts', 'EncryptionCode', ALTERNATIVE))
      expect(section('Errors')).toContain(`\`${code}\``);
  });

  it('says of every close code what happens after it', () => {
    for (const [name, code] of Object.entries(CLOSE_CODE)) expect(section('Closing')).toContain(`${code} \`${name}\``);
  });
});

describe('the files that are made from the source', () => {
  it('are as the source makes them now', () => {
    const made = execFileSync('npx', ['tsx', 'scripts/config-schema.ts'], { cwd: ROOT, encoding: 'utf8' });
    expect(read('config.schema.json')).toBe(made);
  });
});

describe('links between the documents', () => {
  const documents = [
    'README.md',
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'examples/README.md',
    ...readdirSync(`${ROOT}/docs`).map((name) => `docs/${name}`),
  ];

  it.each(documents)('lead somewhere in %s', (document) => {
    const folder = document.slice(0, document.lastIndexOf('/') + 1);
    for (const [target = ''] of rows(read(document), /\]\(([^)#:]+?)(?:#[^)]*)?\)/g)) {
      expect(() => read(folder + target), target).not.toThrow();
    }
    for (const [path = ''] of rows(read(document), /`((?:unit|property|integration|hardening|e2e|docs)\/[\w/-]*)`/g)) {
      const isThere = [`test/${path}`, `test/${path}.test.ts`].some((name) => existsAnywhere(name));
      expect(isThere, `${document}: ${path}`).toBe(true);
    }
  });
});

function existsAnywhere(name: string): boolean {
  try {
    readdirSync(`${ROOT}/${name}`);
    return true;
  } catch {
    try {
      read(name);
      return true;
    } catch {
      return false;
    }
  }
}

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(`${ROOT}/${file}`, 'utf8');

/** The fenced blocks that name their file in a comment before them, and a region of it where there is one. */
function namedBlocks(text: string): { name: string; file: string; region: string | undefined; code: string }[] {
  const pattern = /<!-- ((examples\/[\w/.-]+?)(?:: (\w+))?) -->\n```\w+\n([\s\S]*?)```\n/g;
  return [...text.matchAll(pattern)].map(([, name = '', file = '', region, code = '']) => ({
    name,
    file,
    region,
    code,
  }));
}

/** What stands between `// #region NAME` and `// #endregion`. */
function regionOf(text: string, name: string): string | undefined {
  return new RegExp(`^// #region ${name}\n([\\s\\S]*?)^// #endregion$`, 'm').exec(text)?.[1];
}

const sources = readdirSync(`${ROOT}/examples`, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.tsx?$/.test(name),
);
/** What others import, and what is no example by itself. */
const PARTS = ['environment.ts', 'react/connections.ts', 'token-server/sign.ts'];

describe('the recipes of docs/CLIENT.md', () => {
  const client = read('docs/CLIENT.md');
  const recipes = client.slice(client.indexOf('\n## Recipes\n'));
  const blocks = namedBlocks(recipes);

  it.each(blocks)('have the code of $name', ({ file, region, code }) => {
    const text = read(file);
    expect(code).toBe(region === undefined ? text : regionOf(text, region));
  });

  it('show each recipe', () => {
    expect(blocks.map(({ name }) => name).sort()).toEqual([
      'examples/react/connections.ts',
      'examples/react/use-channel.ts',
      'examples/recover-loss.ts: room',
      'examples/rotate-keys.ts: order',
      'examples/token-server/express.ts',
      'examples/token-server/hono.ts',
      'examples/token-server/sign.ts',
    ]);
  });

  it('name the file of every comment that names one', () => {
    expect(recipes.match(/<!-- /g)).toHaveLength(blocks.length);
  });
});

describe('the examples', () => {
  it('are all in the table of examples/README.md', () => {
    const linked = [...read('examples/README.md').matchAll(/\]\(([\w/-]+\.tsx?)\)/g)].map(([, target]) => target);
    expect([...new Set([...linked, ...PARTS])].sort()).toEqual(sources.sort());
  });

  it.each(sources)('say in the first line of %s what it is, and how to run what can be run', (source) => {
    const [first = ''] = read(`examples/${source}`).split('\n');
    expect(first).toMatch(/^\/\/ \S/);
    const command = /npx tsx (examples\/[\w/.-]+\.ts)$/.exec(first)?.[1];
    if (command !== undefined) expect(() => read(command)).not.toThrow();
    const isProgram = !PARTS.includes(source) && !/session|app\.tsx/.test(source);
    expect(command !== undefined, first).toBe(isProgram);
  });

  it('read only the variables that examples/README.md lists', () => {
    const documented = read('examples/README.md').match(/^\| `[A-Z_]+`.*? \|/gm) ?? [];
    const listed = documented.flatMap((row) => row.match(/[A-Z_]{2,}/g) ?? []);
    const used = sources.flatMap((source) => {
      const text = read(`examples/${source}`);
      const unpacked = [...text.matchAll(/const \{([^}]*)\} = process\.env/g)].flatMap(([, names = '']) =>
        names.match(/[A-Z_]{2,}/g),
      );
      return [...unpacked, ...[...text.matchAll(/process\.env\.([A-Z_]+)/g)].map(([, name]) => name)];
    });
    expect([...new Set(used)].sort()).toEqual([...listed].sort());
  });
});

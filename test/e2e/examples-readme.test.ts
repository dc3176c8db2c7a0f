import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Program } from '../support/cli.ts';
import { describeWith } from '../support/programs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describeWith(['bash', 'curl'], 'the token server of examples/README.md', () => {
  let clone: string;
  let blocks: Map<string, string>;
  const programs: Program[] = [];

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    for (const name of ['bin', 'dist', 'examples', 'package.json'])
      await cp(join(ROOT, name), join(clone, name), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
    const text = await readFile(join(ROOT, 'examples/README.md'), 'utf8');
    const found = text.matchAll(/<!-- token-server: (\w+) -->\n```sh\n([\s\S]*?)```/g);
    blocks = new Map([...found].map(([, name = '', code = '']) => [name, code]));
  });
  afterAll(async () => {
    for (const program of programs) await program.stop();
    await rm(clone, { recursive: true });
  });

  /** Runs a block as it stands, but for what `replaced` says. */
  function follow(name: string, replaced: readonly [string, string], env: Readonly<Record<string, string>>): Program {
    const [shown, instead] = replaced;
    const code = blocks.get(name) ?? '';
    expect(code).toContain(shown);
    const program = new Program('bash', ['-ec', `cd ${clone}\n${code.replace(shown, instead)}`], env);
    programs.push(program);
    return program;
  }

  it('signs a token that the relay there takes, following the text', async () => {
    const ports = { MAYFLY_LISTEN_PORT: '0', MAYFLY_ADMIN_PORT: '0', MAYFLY_LIMITS_DRAIN_TIMEOUT_MS: '0' };
    const relay = follow('relay', ['npm start --', 'exec bin/mayfly serve'], ports);
    const [, url = ''] = await relay.output(/"url":"(ws:[^"]*)"/);
    const server = follow('server', ['npx tsx', 'exec node --import tsx'], { PORT: '0' });
    const [, origin = ''] = await server.output(/^POST (http:\/\/[^/]*)/m);
    const use = follow('use', ['http://127.0.0.1:3000', origin], { RELAY_URL: url });
    expect(await use.finished).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/: five\n$/) });
  });
});

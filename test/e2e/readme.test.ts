import { cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Program } from '../support/cli.ts';
import { describeWith } from '../support/programs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describeWith(['openssl', 'bash'], "the README's first message over wss", () => {
  let clone: string;
  let blocks: Map<string, string>;

  beforeAll(async () => {
    clone = await mkdtemp(join(tmpdir(), 'mayfly-test-'));
    for (const name of ['bin', 'dist', 'package.json'])
      await cp(join(ROOT, name), join(clone, name), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(clone, 'node_modules'));
    const readme = await readFile(join(ROOT, 'README.md'), 'utf8');
    blocks = new Map(
      [...readme.matchAll(/<!-- first-message: (\w+) -->\n```sh\n([\s\S]*?)```/g)].map(([, name = '', code = '']) => [
        name,
        code,
      ]),
    );
  });
  afterAll(() => rm(clone, { recursive: true }));

  it('is printed by the listener, following the text as it stands', async () => {
    await mkdir(join(clone, 'home'));
    const env = {
      HOME: join(clone, 'home'),
      MAYFLY_LISTEN_PORT: '0',
      MAYFLY_ADMIN_PORT: '0',
      MAYFLY_LIMITS_DRAIN_TIMEOUT_MS: '0',
    };
    const first = new Program('bash', ['-c', `cd ${clone}\n${blocks.get('setup')}\necho "pid $!"\nwait`], env);
    const [, origin = ''] = await first.output(/"url":"(wss:[^"]*)"/);
    const [, pid] = await first.output(/^pid (\d+)$/m);
    try {
      const onPort = (name: string): string => (blocks.get(name) ?? '').replace('wss://127.0.0.1:8443', origin);
      const listen = new Program(
        'bash',
        ['-c', `cd ${clone}/local && PATH="$PWD/../bin:$PATH"\nexec ${onPort('listen')}`],
        env,
      );
      await listen.output(/"attached"/, 'stderr');
      const speak = new Program('bash', ['-c', `cd ${clone}/local\n${onPort('speak')}`], env);
      expect((await speak.finished).code).toBe(0);
      const [line] = await listen.output(/^\{.*\}$/m);
      expect(JSON.parse(line)).toMatchObject({
        channel: 'room.42',
        seq: 1,
        envelope: null,
        body: 'aGVsbG8=',
        text: 'hello',
      });
      expect((await listen.stop()).code).toBe(0);
    } finally {
      process.kill(Number(pid), 'SIGTERM');
    }
    expect((await first.finished).code).toBe(0);
  });
});

import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkplace, mayfly, Program, runMayfly, serve, type Workplace } from '../support/cli.ts';
import { describeWith } from '../support/programs.ts';

const NODES = fileURLToPath(new URL('../../.nodes', import.meta.url));
const PROBE = fileURLToPath(new URL('denied.cjs', import.meta.url));

/** A release of Node that `scripts/other-nodes.sh` installed, and whether a build of uWebSockets.js is for it, by the README. */
interface OtherNode {
  readonly name: string;
  readonly path: string;
  readonly hasServer: boolean;
}

function otherNodes(): OtherNode[] {
  if (!existsSync(NODES)) return [];
  return readdirSync(NODES)
    .map((folder) => join(NODES, folder, 'node'))
    .filter((node) => /\/\d+(-\w+)?\/node$/.test(node))
    .map((node) => {
      const facts = '[process.versions.node, process.report.getReport().header.glibcVersionRuntime].join(" ")';
      const [version = '', glibc = ''] = execFileSync(node, ['-p', facts], { encoding: 'utf8' }).trim().split(' ');
      const [major = 0] = version.split('.').map(Number);
      const [, minor = 0] = glibc.split('.').map(Number);
      const hasServer = major === 20 || major === 22 || (major === 24 && minor >= 38);
      return { name: `Node ${version} with glibc ${glibc}`, path: `${dirname(node)}:${process.env.PATH}`, hasServer };
    });
}

let workplace: Workplace;
let token: string;
beforeAll(async () => {
  workplace = await makeWorkplace(() => ({ limits: { drainTimeoutMs: 0, drainDelayMs: 0 } }));
  token = await workplace.token('--sub', 'a', '--can', '>=rw');
});
afterAll(() => workplace.remove());

describeWith([['test', '-e', join(NODES, '24/node')]], 'another release of Node', () => {
  const nodes = otherNodes();

  it('is there with a server and without', () => {
    expect(nodes.length).toBeGreaterThanOrEqual(3);
    expect(nodes.filter(({ hasServer }) => hasServer).map(({ name }) => /\d+/.exec(name)?.[0])).toEqual(
      expect.arrayContaining(['20', '22', '24']),
    );
  });

  it.each(nodes)('runs the commands that need no server: $name', async ({ path }) => {
    const env = { PATH: path, MAYFLY_TOKEN: token };
    const run = async (...args: string[]): Promise<string> => {
      const { code, stdout, stderr } = await runMayfly(args, '', env);
      expect([code, stderr]).toEqual([0, '']);
      return stdout;
    };
    expect(JSON.parse(await run('keygen'))).toHaveProperty('public');
    const key = ['--key', join(workplace.folder, 'app.jwk'), '--tenant', 'acme', '--kid', 'app-2026', '--sub', 'b'];
    const minted = (await run('token', 'mint', ...key, '--can', '>=r')).trim();
    expect(JSON.parse(await run('token', 'explain', minted, '--config', workplace.configFile))).toMatchObject({
      accepted: true,
    });
    expect(await run('--help')).toContain('serve');
    const relay = await serve(workplace);
    const sub = mayfly(['sub', relay.url, 'room', '--count', '1'], env);
    await sub.output(/"attached"/, 'stderr');
    await run('pub', relay.url, 'room', 'hello');
    expect((await sub.finished).stdout).toContain('"text":"hello"');
    await relay.program.stop();
  });

  it.each(nodes.filter(({ hasServer }) => hasServer))('runs a relay behind its fences: $name', async ({ path }) => {
    const { program, url, admin } = await serve(workplace, ['env', `PATH=${path}`]);
    const env = { PATH: path, MAYFLY_TOKEN: token };
    const sub = mayfly(['sub', url, 'room', '--count', '1'], env);
    await sub.output(/"attached"/, 'stderr');
    expect(await runMayfly(['pub', url, 'room', 'hello'], '', env)).toMatchObject({ code: 0, stderr: '' });
    expect((await sub.finished).stdout).toContain('"text":"hello"');
    expect((await fetch(`${admin}/readyz`)).status).toBe(200);
    const [posture] = await program.output(/"posture":\{.*?\}/, 'stderr');
    expect(posture).toMatch(
      /"mayWriteFiles":false,"mayStartProcesses":false,"mayBeInspected":false,"mayDumpCore":false/,
    );
    const args = readFileSync(`/proc/${program.child.pid}/cmdline`, 'utf8').split('\0');
    const flags = args.slice(
      1,
      args.findIndex((arg) => arg.endsWith('main.js')),
    );
    const probing = new Program('node', [...flags, PROBE], { PATH: path, PROBE_FOLDER: workplace.folder });
    expect(JSON.parse((await probing.finished).stderr)).toEqual({
      probe: { write: 'ERR_ACCESS_DENIED', spawn: 'ERR_ACCESS_DENIED', worker: 'ERR_ACCESS_DENIED' },
    });
    expect((await program.stop()).code).toBe(0);
  });

  it.each(nodes.filter(({ hasServer }) => !hasServer))(
    'says in one line what a server needs where none loads: $name',
    async ({ path }) => {
      for (const args of [['serve'], ['serve', '--check']]) {
        const finished = await runMayfly([...args, '--config', workplace.configFile], '', { PATH: path });
        expect(finished).toMatchObject({ code: 1, stdout: '' });
        expect(finished.stderr).toMatch(/^no build of uWebSockets\.js loads here \(Node 24\..* glibc 2\.\d+\): .*\n$/);
      }
    },
  );
});

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { makeWorkplace, Program, runMayfly, serve, type Workplace } from '../support/cli.ts';
import { describeWith } from '../support/programs.ts';

const LINUX = [['test', '-e', '/proc/self/limits']] as const;

const PROBE = fileURLToPath(new URL('denied.cjs', import.meta.url));

/** Variables that make Node write to a folder, load code, open a debugger or take its permissions back; and whether `node -e 0` writes for them. */
const WEAKENING: readonly { readonly name: string; readonly value: string; readonly writes?: true }[] = [
  { name: 'NODE_OPTIONS', value: '--allow-fs-write=* --allow-child-process --allow-worker' },
  { name: 'NODE_OPTIONS', value: `--require=${PROBE}` },
  { name: 'NODE_OPTIONS', value: '--inspect=127.0.0.1:0' },
  { name: 'NODE_OPTIONS', value: '--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=FOLDER' },
  { name: 'NODE_OPTIONS', value: '--report-on-signal --report-directory=FOLDER' },
  { name: 'NODE_OPTIONS', value: '--cpu-prof --cpu-prof-dir=FOLDER' },
  {
    name: 'NODE_OPTIONS',
    value: '--trace-event-categories=node --trace-event-file-pattern=FOLDER/trace',
    writes: true,
  },
  { name: 'NODE_OPTIONS', value: '"--max-old-space-size=300" --tls-keylog=FOLDER/keys' },
  { name: 'NODE_V8_COVERAGE', value: 'FOLDER', writes: true },
  { name: 'NODE_REDIRECT_WARNINGS', value: 'FOLDER/warnings' },
  { name: 'NODE_COMPILE_CACHE', value: 'FOLDER' },
  { name: 'NODE_DEBUG', value: 'net,fs,tls' },
  { name: 'NODE_TLS_REJECT_UNAUTHORIZED', value: '0' },
  { name: 'NODE_EVEN_NEWER', value: '1' },
  { name: 'OPENSSL_CONF', value: 'FOLDER/openssl.cnf' },
  { name: 'SSLKEYLOGFILE', value: 'FOLDER/keys' },
  { name: 'LD_PRELOAD', value: 'libutil.so.1' },
];

let workplace: Workplace;
let folder: string;
beforeAll(async () => {
  workplace = await makeWorkplace(() => ({ limits: { drainTimeoutMs: 0 } }));
});
afterAll(() => workplace.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-posture-'));
});
afterEach(() => rm(folder, { recursive: true }));

const proc = ({ child }: Program, file: string): Promise<string> => readFile(`/proc/${child.pid}/${file}`, 'utf8');

/** How many TCP sockets a process listens on. */
async function listenerCount({ child }: Program): Promise<number> {
  const open = await readdir(`/proc/${child.pid}/fd`);
  const links = await Promise.all(open.map((fd) => readlink(`/proc/${child.pid}/fd/${fd}`).catch(() => '')));
  const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'utf8').split('\n'));
  const columns = rows.map((row) => row.trim().split(/\s+/));
  return columns.filter(([, , , state, , , , , , inode]) => state === '0A' && links.includes(`socket:[${inode}]`))
    .length;
}

describeWith(LINUX, 'an environment that weakens the process', () => {
  it.each(WEAKENING)('is ignored and named: $name=$value', async ({ name, value: template, writes }) => {
    const value = template.replaceAll('FOLDER', folder);
    const { code, stdout, stderr } = await runMayfly(['keygen'], '', { [name]: value });
    expect([code, stderr]).toEqual([0, `{"level":40,"msg":"ignored from the environment: ${name}"}\n`]);
    expect(JSON.parse(stdout)).toHaveProperty('private');
    expect(await readdir(folder)).toEqual([]);
    if (writes !== true) return;
    spawnSync('node', ['-e', '0'], { cwd: folder, env: { ...process.env, [name]: value } });
    expect(await readdir(folder)).not.toEqual([]); // so it would have been seen
  });

  it('is gone from a relay, all at once, and SIGUSR1 opens no inspector', async () => {
    const variables = new Map<string, string[]>();
    for (const { name, value } of WEAKENING) variables.set(name, [...(variables.get(name) ?? []), value]);
    const settings = [...variables].map(([name, values]) => `${name}=${values.join(' ').replaceAll('FOLDER', folder)}`);
    const { program } = await serve(workplace, ['env', '-C', folder, ...settings]);
    const names = (await proc(program, 'environ')).split('\0').map((line) => line.split('=')[0]);
    expect(names.filter((name = '') => variables.has(name))).toEqual([]);
    expect(await proc(program, 'maps')).not.toContain('libutil');
    program.child.kill('SIGUSR1');
    expect(await listenerCount(program)).toBe(2);
    await program.stop();
    expect(program.stderr).not.toMatch(/"probe"|Debugger/);
    expect(await readdir(folder)).toEqual([]);
  });

  it('may still say how large the heap gets, and whose certificates a client trusts', async () => {
    const heap = ['--max-old-space-size=300', '--max-semi-space-size=32'];
    const options = `${heap.join('  ')} --max-old-space-size=1x --inspect=0 --max_old_space_size=300*`;
    const wrapper = ['env', `NODE_OPTIONS=${options}`, 'NODE_EXTRA_CA_CERTS=/dev/null', 'NODE_ENV=production'];
    const { program } = await serve(workplace, wrapper);
    expect((await proc(program, 'cmdline')).split('\0')).toEqual(expect.arrayContaining(heap));
    expect(await proc(program, 'cmdline')).not.toMatch(/inspect|1x|300\*/);
    expect(await proc(program, 'environ')).toMatch(/NODE_EXTRA_CA_CERTS=.*/);
    await program.stop();
    expect(program.stderr).toMatch(/ignored from the environment: NODE_OPTIONS"/);
  });
});

describeWith(LINUX, 'a relay, seen from outside', () => {
  it('leaves no core, whatever the limit was before', async () => {
    const unlimited = ['env', '-C', folder, 'sh', '-c', 'ulimit -c unlimited; exec "$@"', 'sh'];
    const { program } = await serve(workplace, unlimited);
    expect(await proc(program, 'limits')).toMatch(/^Max core file size +0 +0 +bytes/m);
    expect(Number.parseInt(await proc(program, 'coredump_filter'), 16)).toBe(0);
    await program.stop('SIGSEGV');
    expect(await readdir(folder)).toEqual([]);
    if ((await readFile('/proc/sys/kernel/core_pattern', 'utf8')).trim() !== 'core') return;
    const [command = '', ...args] = unlimited;
    await new Program(command, [...args, 'sh', '-c', 'kill -SEGV $$']).finished;
    expect(await readdir(folder)).toHaveLength(1); // so it would have been seen
  });

  it('says what it found of its own posture, and it is so', async () => {
    const { program } = await serve(workplace);
    const [line] = await program.output(/^.*"posture".*$/m, 'stderr');
    const { level, posture } = JSON.parse(line) as { level: number; posture: Record<string, unknown> };
    const { maySwap, ...ours } = posture;
    expect(ours).toEqual({ mayWriteFiles: false, mayStartProcesses: false, mayBeInspected: false, mayDumpCore: false });
    expect(level).toBe(maySwap === true ? 40 : 30);
    await program.stop();
  });

  it('says so when it was started without its fences', async () => {
    const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
    const script = 'ulimit -c unlimited; exec "$@"';
    const args = ['-c', script, 'sh', 'node', '--inspect=127.0.0.1:0', main, 'serve', '--config', workplace.configFile];
    const program = new Program('sh', args);
    const [line] = await program.output(/^.*"posture".*$/m, 'stderr');
    expect(JSON.parse(line)).toMatchObject({
      level: 40,
      posture: { mayWriteFiles: true, mayStartProcesses: true, mayBeInspected: true, mayDumpCore: true },
    });
    await program.stop();
  });
});

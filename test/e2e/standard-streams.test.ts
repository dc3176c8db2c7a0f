import { execFileSync } from 'node:child_process';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MAYFLY, makeWorkplace, Program, runMayfly, serve, type Workplace } from '../support/cli.ts';
import { freePort } from '../support/free-port.ts';
import { describeWith } from '../support/programs.ts';

/** Of Linux: /dev/full and the size limit of another process. */
const LINUX = ['mkfifo', 'prlimit', ['test', '-e', '/dev/full']] as const;

let workplace: Workplace;
let token: string;
beforeAll(async () => {
  workplace = await makeWorkplace(() => ({
    limits: { drainTimeoutMs: 0, drainDelayMs: 0 },
  }));
  token = await workplace.token('--sub', 'a', '--can', '>=rwp');
});
afterAll(() => workplace.remove());

/** A command run by a shell, with redirections and limits in front of or behind `exec "$@"`. */
const shell = (script: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program =>
  new Program('sh', ['-c', script, 'sh', MAYFLY, ...args], env);

/** Makes a pipe in the file system. */
function makePipe(name: string): string {
  const path = join(workplace.folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

/** Opens a pipe as descriptor 3 and fills it: who writes to it without care stands still. */
const fill = (pipe: string): string => `exec 3<>${pipe}; head -c 65536 /dev/zero >&3;`;

/** A relay whose standard output may be gone: its ports are chosen here. */
async function serveOn(script: string): Promise<{ program: Program; admin: string; url: string }> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const env = { MAYFLY_LISTEN_PORT: String(port), MAYFLY_ADMIN_PORT: String(adminPort) };
  const program = shell(script, ['serve', '--config', workplace.configFile], env);
  const admin = `http://127.0.0.1:${adminPort}`;
  await expect.poll(() => status(`${admin}/livez`), { timeout: 20_000 }).toBe(200);
  return { program, admin, url: `ws://127.0.0.1:${port}` };
}

const status = (url: string): Promise<number> =>
  fetch(url, { signal: AbortSignal.timeout(2000) }).then(
    (response) => response.status,
    () => 0,
  );

async function linesLost(admin: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text();
  return Number(/^mayfly_log_lines_lost_total (\d+)$/m.exec(text)?.[1]);
}

describeWith(LINUX, 'a relay', () => {
  it.each([
    ['a full disk', 'exec "$@" 2>/dev/full'],
    ['a file at its limit', 'ulimit -f 0; exec "$@" 2>log'],
  ])('loses and counts the lines of its log on %s, and nothing else happens', async (_, script) => {
    const { program, admin, url } = await serveOn(`cd ${workplace.folder}; ${script}`);
    const before = await linesLost(admin);
    expect(before).toBeGreaterThan(0);
    for (let wanted = before + 1; wanted <= before + 3; wanted++) {
      program.child.kill('SIGHUP');
      await expect.poll(() => linesLost(admin), { timeout: 5000 }).toBe(wanted);
    }
    expect((await runMayfly(['pub', url, 'room', 'x', '--token', token])).code).toBe(0);
    expect((await program.stop()).code).toBe(0);
  });

  it('writes again when the disk has room again', async () => {
    const log = join(workplace.folder, 'log');
    const { program, admin } = await serveOn(`ulimit -S -f 0; exec "$@" 2>>${log}`);
    await expect.poll(() => linesLost(admin)).toBeGreaterThan(0);
    execFileSync('prlimit', [`--pid=${program.child.pid}`, '--fsize=unlimited:unlimited']);
    expect((await program.stop()).code).toBe(0);
    expect(execFileSync('cat', [log], { encoding: 'utf8' })).toMatch(/^\{.*"draining"\}$/m);
  });

  it('does not wait for a pipe that nobody reads, and goes on when it is read', async () => {
    const pipe = makePipe('unread');
    const { program, admin, url } = await serveOn(`${fill(pipe)} exec "$@" 2>&3 >&3`);
    for (let round = 0; round < 3; round++) {
      program.child.kill('SIGHUP');
      expect(await status(`${admin}/livez`)).toBe(200);
    }
    expect((await runMayfly(['pub', url, 'room', 'x', '--token', token])).code).toBe(0);
    let read = '';
    const reader = createReadStream(pipe, 'utf8').on('data', (chunk) => (read += chunk));
    for (const line of ['"posture"', '"listening"', '"reloaded"']) await expect.poll(() => read).toContain(line);
    expect(await linesLost(admin)).toBe(0);
    reader.destroy();
    expect((await program.stop()).code).toBe(0);
  });

  it('ends at SIGTERM though nobody reads its log', async () => {
    const pipe = makePipe('deaf');
    const { program } = await serveOn(`${fill(pipe)} exec "$@" 2>&3`);
    expect((await program.stop()).code).toBe(0);
  });

  it.each([
    ['closed', 'exec "$@" >&- 2>&-'],
    ['pipes whose reader left', 'mkfifo gone; exec 3<>gone; exec 4>gone; exec 3>&-; exec "$@" >&4 2>&4'],
    ['on a full disk', 'exec "$@" >/dev/full 2>/dev/full'],
  ])('runs, reloads and drains with its standard streams %s', async (_, script) => {
    const { program, admin, url } = await serveOn(`cd ${workplace.folder}; ${script}`);
    program.child.kill('SIGHUP');
    expect((await runMayfly(['pub', url, 'room', 'x', '--token', token])).code).toBe(0);
    expect(await status(`${admin}/readyz`)).toBe(200);
    await program.stop();
    expect(await status(`${admin}/readyz`)).toBe(0);
  });
});

describeWith(LINUX, 'a command whose result is what it prints', () => {
  it.each(['keygen', 'token inspect', 'serve --check', '--help', '--version'])(
    'fails in one line when that cannot be written: mayfly %s',
    async (words) => {
      const env = { MAYFLY_TOKEN: token, MAYFLY_CONFIG: workplace.configFile };
      const { code, stderr } = await shell('exec "$@" >/dev/full', words.split(' '), env).finished;
      expect([code, stderr]).toEqual([1, 'standard output cannot be written: ENOSPC\n']);
    },
  );

  it('keeps its exit code when its words cannot be written', async () => {
    const finished = await shell('exec "$@" 2>/dev/full', ['token', 'inspect', 'junk']).finished;
    expect(finished).toMatchObject({ code: 1, stdout: '' });
    expect((await shell('exec "$@" 2>/dev/full', ['keygen']).finished).code).toBe(0);
    expect((await shell('exec "$@" 2>/dev/full', ['no-such-command']).finished).code).toBe(1);
  });
});

describeWith(LINUX, 'mayfly pub and sub', () => {
  let relay: { program: Program; url: string };
  let at: readonly string[];
  beforeAll(async () => {
    relay = await serve(workplace);
    at = [relay.url, 'room', '--token', token];
  });
  afterAll(() => relay.program.stop());
  const pub = (text: string): Promise<unknown> => runMayfly(['pub', ...at, text]);

  it('tell by the exit code what they cannot say', async () => {
    expect((await shell('exec "$@" 2>/dev/full', ['pub', ...at, 'x']).finished).code).toBe(0);
    const refused = ['pub', relay.url, 'room', 'x', '--token', 'junk'];
    expect((await shell('exec "$@" 2>/dev/full', refused).finished).code).toBe(1);
  });

  it('go on with messages while notices cannot be written', async () => {
    const sub = shell('exec "$@" 2>/dev/full', ['sub', ...at, '--count', '1']);
    const heard = async (): Promise<string> => {
      await pub('x');
      return sub.stdout;
    };
    await expect.poll(heard, { timeout: 20_000 }).toContain('"text":"x"');
    expect((await sub.finished).code).toBe(0);
  });

  it('end with the reason when messages cannot be written, and without one when their reader left', async () => {
    const full = shell('exec "$@" >/dev/full', ['sub', ...at]);
    await full.output(/"attached"/, 'stderr');
    await pub('x');
    expect(await full.finished).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^standard output cannot be written: ENOSPC\n$/m),
    });
    const gone = shell(`cd ${workplace.folder}; mkfifo left; exec 3<>left; exec 4>left; exec 3>&-; exec "$@" >&4`, [
      'sub',
      ...at,
    ]);
    await gone.output(/"attached"/, 'stderr');
    await pub('x');
    expect(await gone.finished).toMatchObject({ code: 0, stderr: expect.not.stringMatching(/EPIPE/) });
  });

  it('keep a bounded number of messages for an output that nobody reads, and tell the rest as loss', async () => {
    const pipe = makePipe('stuck');
    const sub = shell(`${fill(pipe)} exec "$@" >&3`, ['sub', ...at]);
    await sub.output(/"attached"/, 'stderr');
    expect((await runMayfly(['pub', ...at], 'x\n'.repeat(12_000))).code).toBe(0);
    let read = '';
    const reader = createReadStream(pipe, 'utf8').on('data', (chunk) => (read += chunk));
    const lost = (): number =>
      [...sub.stderr.matchAll(/"loss".*?"count":(\d+),"cause":"slow_app"/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    await expect.poll(() => read.split('"text":"x"').length - 1 + lost(), { timeout: 10_000 }).toBe(12_000);
    expect(lost()).toBeGreaterThan(0);
    reader.destroy();
    expect((await sub.stop()).code).toBe(0);
  });

  it('end at SIGTERM though nobody reads their output', async () => {
    const sub = shell(`${fill(makePipe('unheard'))} exec "$@" >&3`, ['sub', ...at]);
    await sub.output(/"attached"/, 'stderr');
    await runMayfly(['pub', ...at], 'x\n'.repeat(1000));
    expect((await sub.stop()).code).toBe(0);
  });
});

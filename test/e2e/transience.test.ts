import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkplace, Program, serve, type Workplace } from '../support/cli.ts';
import { message, TestClient } from '../support/client.ts';
import { describeWith } from '../support/programs.ts';

/** System calls that can make, change or map a file for writing. */
const CALLS =
  'open,openat,openat2,creat,mkdir,mkdirat,mknod,rename,renameat,renameat2,link,linkat,symlink,symlinkat,truncate,ftruncate,memfd_create';
const WRITES =
  /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|^\d+ +(?:creat|mk|rename|link|symlink|truncate|ftruncate|memfd)/;

async function childOf(pid: number | undefined): Promise<number> {
  return Number((await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ')[0]);
}

describeWith(['strace'], 'a relay under load', () => {
  let workplace: Workplace;
  beforeAll(async () => {
    workplace = await makeWorkplace(() => ({ limits: { drainDelayMs: 0, drainTimeoutMs: 0 } }));
  });
  afterAll(() => workplace.remove());

  it('opens no file for writing, by strace', async () => {
    const trace = join(workplace.folder, 'trace');
    const relay = await serve(workplace, ['strace', '-f', '-qq', '-e', `trace=${CALLS}`, '-o', trace]);
    const token = await workplace.token('--sub', 'a', '--can', '>=rwp');
    const clients = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = await TestClient.open(relay.url);
        await client.hello(token);
        return client;
      }),
    );
    for (const client of clients) {
      const { channelId } = await client.attach('room', 1 | 2 | 4);
      for (let i = 0; i < 500; i++) client.send(message(channelId, `canary ${i}`));
      await client.flush();
    }
    clients[0]?.send([99]);
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/octet-stream' };
    const url = `${relay.url.replace(/^ws/, 'http')}/v1/channels/room/messages`;
    expect((await fetch(url, { method: 'POST', headers, body: 'canary by HTTP' })).status).toBe(202);
    expect((await fetch(`${relay.admin}/metrics`)).status).toBe(200);
    process.kill(await childOf(relay.program.child.pid), 'SIGTERM'); // strace itself does not pass signals on
    const { stdout, stderr } = await relay.program.finished;
    const opened = (await readFile(trace, 'utf8')).split('\n');
    expect(opened.length).toBeGreaterThan(20);
    const ours = opened.filter((line) => !/"\/dev\/null"|"\/proc\/\d+\/coredump_filter"/.test(line)); // the latter by bin/mayfly: no memory in a core
    expect(ours.filter((line) => WRITES.test(line))).toEqual([]);
    expect(stdout + stderr).not.toMatch(/canary|room|acme/);
  });

  it('has no permission to write a file, start a process or start a worker', async () => {
    const probe = fileURLToPath(new URL('denied.cjs', import.meta.url));
    const relay = await serve(workplace);
    const args = (await readFile(`/proc/${relay.program.child.pid}/cmdline`, 'utf8')).split('\0');
    await relay.program.stop();
    const [node = '', ...flags] = args.slice(
      0,
      args.findIndex((arg) => arg.endsWith('main.js')),
    );
    const before = await readdir(workplace.folder);
    const probing = new Program(node, [...flags, probe], { PROBE_FOLDER: workplace.folder });
    const { stderr: line } = await probing.finished;
    expect(JSON.parse(line)).toEqual({
      probe: { write: 'ERR_ACCESS_DENIED', spawn: 'ERR_ACCESS_DENIED', worker: 'ERR_ACCESS_DENIED' },
    });
    expect(await readdir(workplace.folder)).toEqual(before);
  });
});

describeWith(['promtool'], 'the metrics', () => {
  it('are what promtool takes for well-formed', async () => {
    const workplace = await makeWorkplace();
    const relay = await serve(workplace);
    const text = await (await fetch(`${relay.admin}/metrics`)).text();
    const promtool = new Program('promtool', ['check', 'metrics']);
    promtool.child.stdin?.end(text);
    expect(await promtool.finished).toMatchObject({ code: 0, stderr: '' });
    await relay.program.stop();
    await workplace.remove();
  });
});

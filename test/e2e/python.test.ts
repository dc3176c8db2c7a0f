import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeWorkplace, Program, serve, type Workplace } from '../support/cli.ts';
import { describeWith, makeCertificate } from '../support/programs.ts';

const PYTHON = '/usr/bin/python3';
const programFile = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describeWith(['openssl', [PYTHON, '-c', 'import websockets, msgpack']], 'a client in another language', () => {
  let workplace: Workplace;
  let relay: Awaited<ReturnType<typeof serve>>;

  beforeAll(async () => {
    workplace = await makeWorkplace((folder) => ({
      listen: { port: 0, tls: makeCertificate(folder, 'cert') },
      limits: { drainDelayMs: 0, drainTimeoutMs: 0 },
    }));
    relay = await serve(workplace);
  });
  afterAll(async () => {
    await relay.program.stop();
    await workplace.remove();
  });

  it('written from docs/PROTOCOL.md alone finds every answer as documented', async () => {
    const grant = ['--can', 'room.>=rwp'];
    const tokens = {
      alice: await workplace.token('--sub', 'alice', ...grant),
      bob: await workplace.token('--sub', 'bob', ...grant),
      aliceFresh: await workplace.token('--sub', 'alice', ...grant, '--ttl', '2h'),
      readOnly: await workplace.token('--sub', 'carol', '--can', 'room.>=r'),
      expired: await workplace.token('--sub', 'alice', ...grant, '--ttl', '0s'),
      short: await workplace.token('--sub', 'alice', ...grant, '--ttl', '5s'),
    };
    const conversation = new Program(PYTHON, [programFile('python/conversation.py')]);
    conversation.child.stdin?.end(
      `${JSON.stringify({ url: `${relay.url}/v1/ws`, ca: `${workplace.folder}/cert.pem`, tokens })}\n`,
    );
    const { code, stdout, stderr } = await conversation.finished;
    const steps = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { step: string; ok: boolean });
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.length).toBeGreaterThan(10);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('writes the same vectors from docs/PROTOCOL.md as the repository holds', async () => {
    const copy = join(workplace.folder, 'generate.py');
    await copyFile(programFile('../vectors/generate.py'), copy);
    expect(await new Program(PYTHON, [copy]).finished).toMatchObject({ code: 0 });
    const made = await readFile(join(workplace.folder, 'frames.json'), 'utf8');
    expect(made).toBe(await readFile(programFile('../vectors/frames.json'), 'utf8'));
  });
});

/**
 * Abuse: what a well-behaved pair of another tenant feels while one attacker does its worst, at the default limits. The relay is a process of
 * its own, started anew for each attack, and so is the attacker; both pair and attacker are on this machine.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ATTACKS, type Attack } from './abuse/attacks.ts';
import { CalmPair, type Feeling } from './abuse/calm-pair.ts';
import { makeTenants, type Target } from './abuse/target.ts';
import { runBench, writeResults } from './support/main.ts';
import { positive, readOptions, UsageError } from './support/options.ts';
import { startRelay } from './support/relay-process.ts';

const SECONDS = 5;
const MAX_SECONDS = 600;
const READY_TIMEOUT_MS = 60_000;
const HEAD =
  '| attack | p50 / p99 / max without, ms | p50 / p99 / max under attack, ms | messages missing | newcomers welcomed, slowest |\n|---|---|---|---|---|';

await runBench(async (args) => {
  const options = readOptions(args, ['seconds', 'only', 'json']);
  const seconds = positive('seconds', options.seconds, SECONDS, MAX_SECONDS);
  const results = [];
  process.stdout.write(`${HEAD}\n`);
  for (const attack of chosen(options.only ?? [])) {
    const { without, under } = await measure(attack, seconds);
    process.stdout.write(`${render(attack, without, under)}\n`);
    results.push({ id: attack.id, without, under });
  }
  await writeResults(options.json?.at(-1), { seconds, attacks: results });
});

async function measure(attack: Attack, seconds: number): Promise<{ without: Feeling; under: Feeling }> {
  const { config, calmToken, target } = await makeTenants();
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-bench-'));
  const file = join(folder, 'mayfly.json');
  await writeFile(file, JSON.stringify(config));
  const relay = await startRelay([pathOf('../dist/cli/main.js'), 'serve', '--config', file]);
  try {
    const pair = await CalmPair.join(relay.url, calmToken);
    const without = await pair.talk(seconds);
    const attacker = await startAttacker(attack, { url: relay.url, ...target });
    const under = await pair.talk(seconds);
    await attacker.stop();
    return { without, under };
  } catch (error) {
    throw new Error(`${attack.title}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await relay.stop();
    await rm(folder, { recursive: true });
  }
}

async function startAttacker(attack: Attack, target: Target): Promise<{ stop(): Promise<void> }> {
  const child = spawn(process.execPath, ['--import', 'tsx', pathOf('./abuse/attacker.ts'), attack.id], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TARGET: JSON.stringify(target) },
  });
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const late = setTimeout(kill, READY_TIMEOUT_MS);
  const ready = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  clearTimeout(late);
  if (!(ready[0] instanceof Buffer)) throw new Error('the attacker ended by itself');
  return {
    async stop() {
      const exited = once(child, 'exit');
      kill();
      await exited;
      process.off('exit', kill);
    },
  };
}

function render({ title }: Attack, without: Feeling, under: Feeling): string {
  const ms = (us: number): string => (us / 1000).toFixed(us < 9950 ? 1 : 0);
  const times = ({ p50Us, p99Us, maxUs }: Feeling): string => `${ms(p50Us)} / ${ms(p99Us)} / ${ms(maxUs)}`;
  const dials = `${under.welcomed} of ${under.welcomed + under.turnedAway}, ${ms(under.slowestDialUs)} ms`;
  return `| ${title} | ${times(without)} | ${times(under)} | ${under.missing} | ${dials} |`;
}

function chosen(only: readonly string[]): readonly Attack[] {
  const known = ATTACKS.map(({ id }) => id);
  const unknown = only.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new UsageError(`--only is '${unknown}', expected one of ${known.join(', ')}`);
  return only.length === 0 ? ATTACKS : ATTACKS.filter(({ id }) => only.includes(id));
}

function pathOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

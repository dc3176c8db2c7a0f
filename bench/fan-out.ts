/**
 * WebSocket fan-out: Mayfly against bare uWebSockets.js, each in a process of its own, started anew and in turn for every round.
 * This process is the load; latencies contain its own work. `--before FOLDER` puts the build of another checkout beside them.
 */
import { joinBare } from './load/bare-peer.ts';
import { joinMayfly } from './load/mayfly-peer.ts';
import { measure, type Sample, type Target } from './load/measure.ts';
import { type RelayName, SCENARIOS, type Scenario } from './load/scenarios.ts';
import { runBench, writeResults } from './support/main.ts';
import { positive, readOptions, UsageError } from './support/options.ts';
import { Progress } from './support/progress.ts';
import { startBare, startMayfly } from './support/relays.ts';
import { render, summarize } from './support/report.ts';

const SECONDS = 5;
const MAX_SECONDS = 600;
const ROUNDS = 3;
const MAX_ROUNDS = 100;
const WARM_UP_SECONDS = 1;

type Started = Target & { readonly stop: () => Promise<void> };

function startersFor(before: string | undefined): Readonly<Record<RelayName, () => Promise<Started>>> {
  const mayfly = async (checkout?: string): Promise<Started> => {
    const { url, pid, token, stop } = await startMayfly(checkout);
    return { pid, stop, join: (topic, role) => joinMayfly(url, token, topic, role) };
  };
  return {
    mayfly: () => mayfly(),
    before: () => mayfly(before),
    bare: async () => {
      const { url, pid, stop } = await startBare();
      return { pid, stop, join: (topic, role) => joinBare(url, topic, role) };
    },
  };
}

await runBench(async (args) => {
  const options = readOptions(args, ['seconds', 'rounds', 'only', 'before', 'json']);
  const before = options.before?.at(-1);
  const start = startersFor(before);
  const relaysOf = ({ relays }: Scenario): readonly RelayName[] =>
    before === undefined ? relays : [...relays, 'before'];
  const seconds = positive('seconds', options.seconds, SECONDS, MAX_SECONDS);
  const rounds = Math.ceil(positive('rounds', options.rounds, ROUNDS, MAX_ROUNDS));
  const scenarios = chosen(options.only ?? []);
  const progress = new Progress(scenarios.reduce((sum, scenario) => sum + rounds * relaysOf(scenario).length, 0));
  const summaries = [];
  for (const scenario of scenarios) {
    const samples: Record<RelayName, Sample[]> = { mayfly: [], bare: [], before: [] };
    for (let round = 1; round <= rounds; round++) {
      for (const name of relaysOf(scenario)) {
        progress.step(scenario.title, `${name}, round ${round} of ${rounds}`);
        samples[name].push(await measureFresh(name, start[name], scenario, seconds));
      }
    }
    const summary = summarize({ scenario, samples });
    progress.clear();
    process.stdout.write(`${render(summary)}\n`);
    summaries.push({ ...summary, samples });
  }
  await writeResults(options.json?.at(-1), { seconds, rounds, scenarios: summaries });
});

async function measureFresh(
  name: RelayName,
  start: () => Promise<Started>,
  scenario: Scenario,
  seconds: number,
): Promise<Sample> {
  const relay = await start();
  try {
    return await measure(scenario, relay, { warmUpSeconds: WARM_UP_SECONDS, seconds });
  } catch (error) {
    throw new Error(`${name}, ${scenario.title}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  } finally {
    await relay.stop();
  }
}

function chosen(only: readonly string[]): readonly Scenario[] {
  const known = SCENARIOS.map(({ id }) => id);
  const unknown = only.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new UsageError(`--only is '${unknown}', expected one of ${known.join(', ')}`);
  return only.length === 0 ? SCENARIOS : SCENARIOS.filter(({ id }) => only.includes(id));
}

/** Restarts: how long clients of the SDK are without a connection when a relay is stopped and started, handed over, or leaves a balancer. */
import { hasBalancer } from './restart/balancer.ts';
import type { Absence } from './restart/clients.ts';
import { BALANCED, HANDOVER, PLAIN } from './restart/scenarios.ts';
import { runBench, writeResults } from './support/main.ts';
import { positive, readOptions } from './support/options.ts';

const CLIENTS = 200;
const MAX_CLIENTS = 5000;
/** Longer than the SDK takes a connection for a passing one. */
const SETTLED_MS = 11_000;

await runBench(async (args) => {
  const options = readOptions(args, ['clients', 'json']);
  const count = Math.ceil(positive('clients', options.clients, CLIENTS, MAX_CLIENTS));
  if (!hasBalancer()) process.stderr.write('haproxy is missing: two relays behind it are left out\n');
  const results = [];
  for (const { title, run } of [PLAIN, HANDOVER, ...(hasBalancer() ? [BALANCED] : [])]) {
    const absences = await run(count, SETTLED_MS);
    process.stdout.write(`${render(title, absences)}\n`);
    results.push({ title, absences });
  }
  await writeResults(options.json?.at(-1), { clients: count, restarts: results });
});

function render(title: string, absences: readonly Absence[]): string {
  const sorted = absences.map(({ offlineMs }) => offlineMs).sort((a, b) => a - b);
  const at = (share: number): string =>
    `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)} ms`;
  const codes = new Map<number, number>();
  for (const { code } of absences) codes.set(code, (codes.get(code) ?? 0) + 1);
  const dials = Math.max(...absences.map(({ dialCount }) => dialCount));
  const lost = [...codes].map(([code, count]) => `${count} × ${code}`).join(', ');
  return `${title}\n  ${absences.length} clients, offline p50 ${at(0.5)}, p90 ${at(0.9)}, max ${at(1)}; closed with ${lost}; at most ${dials} dials`;
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { RelayProcess } from '../support/relay-process.ts';
import { startBalancer } from './balancer.ts';
import { type Absence, Clients } from './clients.ts';
import { freePorts, makeNodes } from './nodes.ts';

const BACK_TIMEOUT_MS = 60_000;
const LOOK_MS = 50;
const CHECKED_MS = 2000;

/** A restart: everybody who lost a connection, back again. */
export interface Restart {
  readonly title: string;
  /** `settledMs` is how long the clients have been connected by then: for the SDK, ten seconds make a connection that lasted. */
  run(clientCount: number, settledMs?: number): Promise<readonly Absence[]>;
}

/** One relay, stopped and then started at the same address. */
export const PLAIN: Restart = {
  title: 'one relay, stopped and started again',
  run: (count, settledMs = 0) =>
    onNodes({ shared: false }, async (nodes) => {
      const ports = await freePorts();
      const before = await nodes.start(ports);
      const clients = await Clients.connect(before.url, nodes.token, count);
      await sleep(settledMs);
      await before.stop();
      const after = await nodes.start(ports);
      return everybodyBack(clients, count, [after]);
    }),
};

/** One host: the successor starts beside the relay that stops. */
export const HANDOVER: Restart = {
  title: 'handover on one host (listen.shared)',
  run: (count, settledMs = 0) =>
    onNodes({ shared: true }, async (nodes) => {
      const ports = await freePorts();
      const before = await nodes.start(ports);
      const clients = await Clients.connect(before.url, nodes.token, count);
      await sleep(settledMs);
      const after = await nodes.start(ports);
      await before.stop();
      return everybodyBack(clients, count, [after]);
    }),
};

/** Two relays behind haproxy, of which one stops: half of the clients move. */
export const BALANCED: Restart = {
  title: 'one of two relays behind haproxy stops',
  run: (count, settledMs = 0) =>
    onNodes({ shared: false }, async (nodes) => {
      const ports = [await freePorts(), await freePorts()];
      const [first, second] = await Promise.all(ports.map((each) => nodes.start(each)));
      if (first === undefined || second === undefined) throw new Error('expected two relays');
      const balancer = await startBalancer(ports);
      await sleep(CHECKED_MS); // the balancer has asked both for their health
      const clients = await Clients.connect(balancer.url, nodes.token, count);
      await sleep(settledMs);
      await first.stop();
      const absences = await everybodyBack(clients, Math.floor(count / 2), [second]);
      await balancer.stop();
      return absences;
    }),
};

async function onNodes(
  how: { readonly shared: boolean },
  act: (nodes: Awaited<ReturnType<typeof makeNodes>>) => Promise<readonly Absence[]>,
): Promise<readonly Absence[]> {
  const nodes = await makeNodes(how);
  try {
    return await act(nodes);
  } finally {
    await nodes.remove();
  }
}

/** Waits until `count` have come back and all are connected; then ends clients and relays. */
async function everybodyBack(
  clients: Clients,
  count: number,
  relays: readonly RelayProcess[],
): Promise<readonly Absence[]> {
  const endMs = performance.now() + BACK_TIMEOUT_MS;
  while (clients.absences.length < count && performance.now() < endMs) await sleep(LOOK_MS);
  const { absences } = clients;
  await clients.close();
  for (const relay of relays) await relay.stop();
  if (absences.length < count) throw new Error(`${absences.length} of ${count} clients came back`);
  return absences;
}

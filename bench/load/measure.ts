import type { Join, Peer } from './peer.ts';
import { Run } from './run.ts';
import type { Scenario } from './scenarios.ts';

const JOINS_AT_A_TIME = 50;

/** What one run of a scenario measured, warm-up excluded. Latencies in µs. */
export interface Sample {
  readonly deliveries: number;
  readonly seconds: number;
  readonly deliveriesPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  /** Server CPU per delivery in µs; null where it cannot be read. */
  readonly cpuUs: number | null;
}

/** A relay as a measurement sees it. */
export interface Target {
  readonly pid: number;
  readonly join: Join;
}

/** How long to run. */
export interface Duration {
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

/** Runs a scenario once. Throws when a message was lost, duplicated or reordered. */
export async function measure(scenario: Scenario, target: Target, duration: Duration): Promise<Sample> {
  const peers: Peer[] = [];
  try {
    for (let i = 0; i < scenario.members.length; i += JOINS_AT_A_TIME) {
      const joins = scenario.members.slice(i, i + JOINS_AT_A_TIME).map((member) => target.join(member.topic, member));
      peers.push(...(await Promise.all(joins)));
    }
    return await new Run(scenario, peers, target.pid, duration).sample();
  } finally {
    for (const peer of peers) peer.socket.close();
  }
}

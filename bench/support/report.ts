import type { Sample } from '../load/measure.ts';
import type { RelayName, Scenario } from '../load/scenarios.ts';
import { median } from './median.ts';

/** All samples of one scenario, a round an element. */
export interface Result {
  readonly scenario: Scenario;
  readonly samples: Readonly<Partial<Record<RelayName, readonly Sample[]>>>;
}

/** A result in the form people keep: medians, and the ratio of server CPU with its aim. */
export interface Summary {
  readonly id: string;
  readonly title: string;
  readonly relays: Readonly<Partial<Record<RelayName, Row>>>;
  readonly cpuRatio: Ratio | null;
  /** Against another build of this relay, where one was given. */
  readonly beforeRatio: Ratio | null;
}

/** Medians over the rounds. Latencies and CPU in µs. */
interface Row {
  readonly deliveriesPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly cpuUs: Spread | null;
}

/** A median and its extremes. */
interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** CPU per delivery, Mayfly over another relay: the ratio of the medians, and the extremes of the rounds. */
interface Ratio extends Spread {
  readonly aim: number | null;
}

/** Takes medians and ratios of a result. */
export function summarize({ scenario, samples }: Result): Summary {
  const { mayfly = [], bare = [], before = [] } = samples;
  return {
    id: scenario.id,
    title: scenario.title,
    relays: {
      ...(mayfly.length > 0 && { mayfly: rowOf(mayfly) }),
      ...(bare.length > 0 && { bare: rowOf(bare) }),
      ...(before.length > 0 && { before: rowOf(before) }),
    },
    cpuRatio: ratioOf(mayfly, bare, scenario.aim),
    beforeRatio: ratioOf(mayfly, before, null),
  };
}

/** The summary as a table for people. */
export function render({ title, relays, cpuRatio, beforeRatio }: Summary): string {
  const heads = ['deliveries/s', 'p50 ms', 'p99 ms', 'p99.9 ms', 'CPU µs/delivery (min..max)'];
  const lines = [title, `  ${'relay'.padEnd(8)}${heads.map((head, i) => head.padStart(WIDTHS[i] ?? 0)).join('')}`];
  for (const [name, row] of Object.entries(relays)) lines.push(`  ${name.padEnd(8)}${renderRow(row)}`);
  if (cpuRatio !== null) lines.push(`  ${renderRatio('bare', cpuRatio)}`);
  if (beforeRatio !== null) lines.push(`  ${renderRatio('before', beforeRatio)}`);
  return `${lines.join('\n')}\n`;
}

const WIDTHS = [14, 10, 10, 10, 30];

function renderRow(row: Row): string {
  const cells = [
    Math.round(row.deliveriesPerSecond).toLocaleString('en-US'),
    ms(row.p50Us),
    ms(row.p99Us),
    ms(row.p999Us),
  ];
  cells.push(row.cpuUs === null ? 'unavailable' : renderSpread(row.cpuUs, 3));
  return cells.map((cell, i) => cell.padStart(WIDTHS[i] ?? 0)).join('');
}

function renderRatio(other: RelayName, ratio: Ratio): string {
  const text = `CPU per delivery, mayfly/${other}: ${renderSpread(ratio, 2)}`;
  if (ratio.aim === null) return text;
  return `${text}, aim at most ${ratio.aim}: ${ratio.median <= ratio.aim ? 'met' : 'MISSED'}`;
}

function renderSpread({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`;
}

function ms(us: number): string {
  return (us / 1000).toFixed(2);
}

function rowOf(samples: readonly Sample[]): Row {
  const of = (key: 'deliveriesPerSecond' | 'p50Us' | 'p99Us' | 'p999Us') =>
    median(samples.map((sample) => sample[key]));
  const cpu = cpuOf(samples);
  return {
    deliveriesPerSecond: of('deliveriesPerSecond'),
    p50Us: of('p50Us'),
    p99Us: of('p99Us'),
    p999Us: of('p999Us'),
    cpuUs: cpu.length === 0 ? null : spreadOf(cpu, median(cpu)),
  };
}

function ratioOf(mayfly: readonly Sample[], bare: readonly Sample[], aim: number | null): Ratio | null {
  const above = cpuOf(mayfly);
  const below = cpuOf(bare);
  if (above.length === 0 || below.length === 0) return null;
  const rounds = above.flatMap((cpu, i) => (below[i] === undefined ? [] : [cpu / below[i]]));
  return { ...spreadOf(rounds, median(above) / median(below)), aim };
}

function cpuOf(samples: readonly Sample[]): number[] {
  return samples.flatMap((sample) => (sample.cpuUs === null ? [] : [sample.cpuUs]));
}

function spreadOf(values: readonly number[], middle: number): Spread {
  return { median: middle, min: Math.min(...values), max: Math.max(...values) };
}

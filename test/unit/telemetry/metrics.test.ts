import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Counters } from '../../../src/telemetry/counters.ts';
import { createMetrics, METRICS, type Metrics } from '../../../src/telemetry/metrics.ts';

/** Every sample an operator may see, and its labels. None of them can hold a tenant, channel or user. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  mayfly_connections: [],
  mayfly_channels: [],
  mayfly_attachments: [],
  mayfly_frames_received_total: [],
  mayfly_received_bytes_total: [],
  mayfly_deliveries_total: [],
  mayfly_delivered_bytes_total: [],
  mayfly_refusals_total: ['status'],
  mayfly_closes_total: ['code'],
  mayfly_backlog_bytes: [],
  mayfly_slow_consumers_total: [],
  mayfly_cut_connections_total: [],
  mayfly_log_lines_lost_total: [],
  mayfly_sockets: ['state'],
  mayfly_dropped_sockets_total: ['reason'],
  mayfly_handshake_seconds_bucket: ['le'],
  mayfly_handshake_seconds_sum: [],
  mayfly_handshake_seconds_count: [],
  mayfly_event_loop_delay_seconds: ['stat'],
  mayfly_resident_memory_bytes: [],
  mayfly_cpu_seconds_total: [],
};

let counters: Counters;
let metrics: Metrics;
beforeEach(() => {
  counters = new Counters();
  metrics = createMetrics(counters);
});
afterEach(() => metrics.stop());

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Samples of the Prometheus text exposition format 0.0.4; throws at a line that is none. */
function samplesOf(text: string): Sample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? ([-+.e\d]+|NaN|[-+]Inf)$/.exec(line) ?? [];
      if (name === undefined) throw new Error(`not a sample: ${line}`);
      const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]) => [label, text]);
      return { name, labels: Object.fromEntries(pairs), value: Number(value) };
    });
}

const sampleOf = async (name: string, labels: Record<string, string> = {}): Promise<number | undefined> =>
  samplesOf(await metrics.scrape()).find(
    (sample) => sample.name === name && JSON.stringify(sample.labels) === JSON.stringify(labels),
  )?.value;

describe('the metrics', () => {
  it('have exactly the names and labels that are allowed', async () => {
    counters.refused(403);
    counters.closed(4001);
    counters.dropped('crowded');
    counters.sockets.set('open', 1);
    metrics.observeHandshake(0.001);
    const seen: Record<string, Set<string>> = {};
    for (const { name, labels } of samplesOf(await metrics.scrape())) {
      seen[name] ??= new Set();
      for (const label of Object.keys(labels)) seen[name].add(label);
    }
    expect(Object.fromEntries(Object.entries(seen).map(([name, labels]) => [name, [...labels]]))).toEqual(ALLOWED);
  });

  it('are the ones of the list, each with help and a type that its name promises', async () => {
    const text = await metrics.scrape();
    for (const [name, help] of Object.entries(METRICS)) {
      expect(text).toContain(`# HELP ${name} ${help}\n`);
      const type = name.endsWith('_total') ? 'counter' : name === 'mayfly_handshake_seconds' ? 'histogram' : 'gauge';
      expect(text).toContain(`# TYPE ${name} ${type}\n`);
    }
    expect([...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name).sort()).toEqual(Object.keys(METRICS).sort());
    expect(metrics.contentType).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it.each<[string, (to: Counters) => void]>([
    ['mayfly_connections', (to) => (to.connections = 7)],
    ['mayfly_channels', (to) => (to.channels = 7)],
    ['mayfly_attachments', (to) => (to.attachments = 7)],
    ['mayfly_frames_received_total', (to) => (to.framesIn = 7)],
    ['mayfly_received_bytes_total', (to) => (to.bytesIn = 7)],
    ['mayfly_deliveries_total', (to) => (to.deliveries = 7)],
    ['mayfly_delivered_bytes_total', (to) => (to.deliveredBytes = 7)],
    ['mayfly_slow_consumers_total', (to) => (to.slowConsumers = 7)],
    ['mayfly_cut_connections_total', (to) => (to.cutConnections = 7)],
  ])('read %s at the scrape, each scrape anew', async (name, count) => {
    expect(await sampleOf(name)).toBe(0);
    count(counters);
    expect([await sampleOf(name), await sampleOf(name)]).toEqual([7, 7]);
  });

  it('count refusals by status and closes by code', async () => {
    for (const status of [403, 403, 429]) counters.refused(status);
    counters.closed(4500);
    expect(await sampleOf('mayfly_refusals_total', { status: '403' })).toBe(2);
    expect(await sampleOf('mayfly_refusals_total', { status: '429' })).toBe(1);
    expect(await sampleOf('mayfly_closes_total', { code: '4500' })).toBe(1);
    expect(await sampleOf('mayfly_closes_total', { code: '4001' })).toBeUndefined();
  });

  it('hold handshakes as a cumulative histogram of seconds', async () => {
    for (const seconds of [0.0002, 0.003, 5]) metrics.observeHandshake(seconds);
    expect(await sampleOf('mayfly_handshake_seconds_bucket', { le: '0.0001' })).toBe(0);
    expect(await sampleOf('mayfly_handshake_seconds_bucket', { le: '0.00025' })).toBe(1);
    expect(await sampleOf('mayfly_handshake_seconds_bucket', { le: '1' })).toBe(2);
    expect(await sampleOf('mayfly_handshake_seconds_bucket', { le: '+Inf' })).toBe(3);
    expect(await sampleOf('mayfly_handshake_seconds_count')).toBe(3);
    expect(await sampleOf('mayfly_handshake_seconds_sum')).toBeCloseTo(5.0032, 6);
  });

  it('tell memory in bytes and CPU time in seconds', async () => {
    const used = process.cpuUsage();
    expect(await sampleOf('mayfly_cpu_seconds_total')).toBeGreaterThanOrEqual((used.user + used.system) / 1e6);
    expect(await sampleOf('mayfly_resident_memory_bytes')).toBeGreaterThan(10 * 1024 * 1024);
  });

  it('see a loop that stands still', async () => {
    const standStill = async (): Promise<number | undefined> => {
      const until = performance.now() + 200;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve)); // the loop turns once
      return sampleOf('mayfly_event_loop_delay_seconds', { stat: 'max' });
    };
    await expect.poll(standStill, { timeout: 5000 }).toBeGreaterThan(0.1);
  });

  it('show the same to every scraper, for one to two minutes', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const watched = createMetrics(counters);
    const max = async (): Promise<number> =>
      samplesOf(await watched.scrape()).find(({ labels }) => labels.stat === 'max')?.value ?? 0;
    const standStill = async (): Promise<number> => {
      const until = performance.now() + 1000;
      while (performance.now() < until);
      await new Promise((resolve) => setTimeout(resolve));
      return max();
    };
    await expect.poll(standStill, { timeout: 5000 }).toBeGreaterThan(0.9);
    const seen = await max();
    for (const _ of ['the same scraper', 'another one']) expect(await max()).toBeGreaterThanOrEqual(seen);
    vi.advanceTimersByTime(60_000);
    expect(await max()).toBeGreaterThanOrEqual(seen);
    vi.advanceTimersByTime(60_000);
    expect(await max()).toBeLessThan(seen);
    watched.stop();
    vi.useRealTimers();
  });
});

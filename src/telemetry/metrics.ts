import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Counters } from './counters.ts';
import { LoopDelay } from './loop-delay.ts';
import { standardError } from './lossy-stream.ts';
import { residentBytes } from './resident-memory.ts';

/** Every metric and its labels: the allow-list that docs and tests hold. */
export const METRICS = {
  mayfly_connections: 'open connections, less those that are being closed',
  mayfly_channels: 'live channels',
  mayfly_attachments: 'attachments of connections to channels, and attached patterns',
  mayfly_frames_received_total: 'frames received from clients, HTTP publishes included',
  mayfly_received_bytes_total: 'bytes of those frames',
  mayfly_deliveries_total: 'frames handed to subscribers, skipped ones included',
  mayfly_delivered_bytes_total: 'bytes of those frames',
  mayfly_refusals_total: 'operations refused, by status',
  mayfly_closes_total: 'connections closed by the relay, by close code',
  mayfly_backlog_bytes: 'bytes that wait in the relay for connections to read',
  mayfly_slow_consumers_total: 'times a connection began to lose frames for reading too slowly',
  mayfly_cut_connections_total: 'connections cut for reading too slowly',
  mayfly_log_lines_lost_total: 'log lines that standard error did not take',
  mayfly_handshake_seconds: 'time to verify the token of a connection or request',
  mayfly_event_loop_delay_seconds: 'event loop delay over the last one to two minutes: p50, p99 and max',
  mayfly_sockets: 'sockets by state: unauthenticated, open, closing',
  mayfly_dropped_sockets_total: 'sockets ended to keep room, by reason: crowded, gave_way, closing',
  mayfly_resident_memory_bytes: 'resident memory of the process',
  mayfly_cpu_seconds_total: 'CPU time of the process',
} as const;

type MetricName = keyof typeof METRICS;

/** What the admin listener and the door need of the metrics. */
export interface Metrics {
  /** Observes one token verification, in seconds. */
  observeHandshake(seconds: number): void;
  /** The metrics in Prometheus's text format. */
  scrape(): Promise<string>;
  readonly contentType: string;
  stop(): void;
}

/** Registers every metric over the counters. */
export function createMetrics(counters: Counters): Metrics {
  const registry = new Registry();
  const delay = new LoopDelay();
  const gauge = (name: MetricName, read: () => number): void => {
    new Gauge({
      name,
      help: METRICS[name],
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  const counter = (name: MetricName, read: () => number): void => {
    new Counter({
      name,
      help: METRICS[name],
      registers: [registry],
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  };
  const gaugeBy = (name: MetricName, label: string, read: () => ReadonlyMap<string, number>): void => {
    new Gauge({
      name,
      help: METRICS[name],
      labelNames: [label],
      registers: [registry],
      collect() {
        for (const [key, value] of read()) this.set({ [label]: key }, value);
      },
    });
  };
  const counterBy = (name: MetricName, label: string, read: () => ReadonlyMap<number | string, number>): void => {
    new Counter({
      name,
      help: METRICS[name],
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [key, value] of read()) this.inc({ [label]: String(key) }, value);
      },
    });
  };
  gauge('mayfly_connections', () => counters.connections);
  gauge('mayfly_channels', () => counters.channels);
  gauge('mayfly_attachments', () => counters.attachments);
  counter('mayfly_frames_received_total', () => counters.framesIn);
  counter('mayfly_received_bytes_total', () => counters.bytesIn);
  counter('mayfly_deliveries_total', () => counters.deliveries);
  counter('mayfly_delivered_bytes_total', () => counters.deliveredBytes);
  counterBy('mayfly_refusals_total', 'status', () => counters.refusals);
  counterBy('mayfly_closes_total', 'code', () => counters.closes);
  gauge('mayfly_backlog_bytes', () => counters.backlogBytes);
  counter('mayfly_slow_consumers_total', () => counters.slowConsumers);
  counter('mayfly_cut_connections_total', () => counters.cutConnections);
  counter('mayfly_log_lines_lost_total', () => standardError.linesLost);
  gaugeBy('mayfly_sockets', 'state', () => counters.sockets);
  counterBy('mayfly_dropped_sockets_total', 'reason', () => counters.drops);
  gauge('mayfly_resident_memory_bytes', residentBytes);
  counter('mayfly_cpu_seconds_total', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  new Gauge({
    name: 'mayfly_event_loop_delay_seconds',
    help: METRICS.mayfly_event_loop_delay_seconds,
    labelNames: ['stat'],
    registers: [registry],
    collect() {
      for (const [stat, percentile] of [
        ['p50', 50],
        ['p99', 99],
        ['max', 100],
      ] as const)
        this.set({ stat }, delay.seconds(percentile));
    },
  });
  const handshake = new Histogram({
    name: 'mayfly_handshake_seconds',
    help: METRICS.mayfly_handshake_seconds,
    registers: [registry],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1],
  });
  return {
    observeHandshake: (seconds) => handshake.observe(seconds),
    scrape: () => registry.metrics(),
    contentType: registry.contentType,
    stop: () => delay.stop(),
  };
}

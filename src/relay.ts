import { randomUUID } from 'node:crypto';
import { TokenVerifier } from './auth/verifier.ts';
import type { LoadedConfig } from './config/load.ts';
import { restartProblems } from './config/restart.ts';
import { Channels } from './core/channels.ts';
import { Control } from './core/control.ts';
import { Dispatch } from './core/dispatch.ts';
import type { Clock } from './core/ports.ts';
import { Router } from './core/router.ts';
import { REVOKED, Sessions, type TenantSettings } from './core/sessions.ts';
import { Slices } from './core/slices.ts';
import { tokenTimes } from './core/token-times.ts';
import { Turn } from './core/turn.ts';
import { addAdminRoutes } from './edge/admin.ts';
import { Door } from './edge/door.ts';
import { drain } from './edge/drain.ts';
import { UwsFanout } from './edge/fanout.ts';
import { addRoutes } from './edge/http.ts';
import { Listener } from './edge/listener.ts';
import { engineBytes, Memory } from './edge/memory.ts';
import type { UserData } from './edge/peer.ts';
import { Peers } from './edge/peers.ts';
import { RunningTime } from './edge/running-time.ts';
import type { Site } from './edge/site.ts';
import { successorAt } from './edge/successor.ts';
import { startSweep } from './edge/sweep.ts';
import { upgradeHandler } from './edge/upgrade.ts';
import { createApp, listen, type TemplatedApp } from './edge/uws.ts';
import { webSocketHandlers } from './edge/websocket.ts';
import { ConfigError } from './errors.ts';
import { type Refusal, refusal } from './protocol/codes.ts';
import { Counters } from './telemetry/counters.ts';
import { faultOf, type Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';

/** A relay that listens. URLs hold the ports that were really taken. */
export interface Relay {
  readonly url: string;
  readonly adminUrl: string;
  /**
   * Puts tenants, keys, CORS and certificate of another configuration in force; no connection they still permit is dropped. All or nothing:
   * throws a ConfigError that names every setting that needs a restart.
   */
  reload(loaded: LoadedConfig): void;
  /** Drains and stops. Resolves when the last connection is gone: at most `limits.drainDelayMs` and `limits.drainTimeoutMs` later. */
  stop(): Promise<void>;
}

/** What a relay takes besides its configuration. */
export interface StartOptions {
  /** Default: the system's. */
  readonly clock?: Clock | undefined;
  /** Pages for development; none by default. */
  readonly site?: Site | undefined;
}

/** The second makes a relay's bare URL enough. */
const WEBSOCKET_PATHS = ['/v1/ws', '/'];
const FULL = refusal('overloaded', 'the relay is full');
const SYSTEM_CLOCK: Clock = { nowMs: Date.now, monotonicMs: () => performance.now() };
const MAX_SWEEP_PERIOD_MS = 250;
const CHANNEL_IDLE_MS = 60_000;
const IDLE_TIMEOUT_SECONDS = 120;
/** Connections of more certificates than this are not kept: those of the oldest are asked to come again. */
const MAX_CERTIFICATES = 4;
/** Room above uWebSockets.js's own limit for what it adds after checking it: one message and one cork buffer. */
const CORK_BYTES = 32 * 1024;

/** Composes and starts a relay. Throws a RelayError when it cannot listen. */
export function startRelay(loaded: LoadedConfig, logger: Logger, options: StartOptions = {}): Relay {
  const { clock = SYSTEM_CLOCK, site } = options;
  const { config } = loaded;
  const { limits } = config;
  const times = tokenTimes(limits);
  const verifier = new TokenVerifier(loaded.keys, times);
  let isDraining = false;
  let { origins: corsOrigins } = config.cors;

  const counters = new Counters();
  const metrics = createMetrics(counters);
  const fanout = new UwsFanout((peer) => setImmediate(() => peers.cut(peer)), limits.maxBufferedBytes);
  const turn = new Turn(fanout, clock, setImmediate);
  const slices = new Slices(turn, setImmediate);
  const channels = new Channels({ fanout, turn, meter: counters, slices, maxBufferedBytes: limits.maxBufferedBytes });
  const sessions = new Sessions(channels, turn, fanout, slices, limits);
  const router = new Router(channels, turn, counters);
  const control = new Control({ channels, turn, fanout, slices, limits });
  const dispatch = new Dispatch(router, control, turn, counters, limits);
  const periodMs = Math.min(
    MAX_SWEEP_PERIOD_MS,
    limits.slowConsumerTimeoutMs / 10,
    limits.helloTimeoutMs / 4,
    limits.pingIntervalMs / 4,
  );
  const time = new RunningTime(() => clock.monotonicMs(), periodMs);
  const runningMs = (): number => time.nowMs();
  const peers = new Peers({ sessions, counters, fanout, limits, runningMs });
  const memory = new Memory({
    backlogs: peers.backlogs,
    cut: (peer) => peers.cut(peer),
    limits,
    residentBytes: () => process.memoryUsage.rss(),
    usedBytes: engineBytes,
  });
  const maxMessageBytes = Math.max(65_536, 4 * limits.maxFrameBytes);
  const door = new Door({
    verify: (token) => verifier.verify(token, clock.nowMs()),
    sessions,
    limits: {
      maxFrameBytes: limits.maxFrameBytes,
      maxMessageBytes,
      maxAttachments: limits.maxAttachments,
      framesPerSecond: limits.framesPerSecond,
      bytesPerSecond: limits.bytesPerSecond,
      maxBufferedBytes: limits.maxBufferedBytes,
      slowConsumerTimeoutMs: limits.slowConsumerTimeoutMs,
      pingIntervalMs: limits.pingIntervalMs,
    },
    boot: randomUUID(),
    isDraining: () => isDraining,
    metrics,
    logger,
  });
  const refused = (status: number): void => counters.refused(status);

  const failed = (error: unknown): void => logger.error(faultOf(error), 'an upgrade failed');

  /** Why nothing is taken at the moment, if so; and why no connection is. */
  function shut(): Refusal | null {
    if (isDraining) return refusal('draining', 'the relay is about to stop');
    return memory.isFull ? FULL : null;
  }
  const busy = (): Refusal | null => shut() ?? (peers.count >= limits.maxConnections ? FULL : null);

  function publicApp(tls: LoadedConfig['tls']): TemplatedApp {
    const app = createApp(tls);
    const behavior = {
      ...webSocketHandlers({
        dispatch,
        sessions,
        door,
        peers,
        logger,
        turn,
        endOfTurn: setImmediate,
        clock,
        maxWaitingBytes: Math.max(4 * maxMessageBytes, 2 * limits.bytesPerSecond),
        isTls: tls !== undefined,
      }),
      upgrade: upgradeHandler(app, {
        door,
        helloTimeoutMs: limits.helloTimeoutMs,
        runningMs,
        busy,
        refused,
        failed,
      }),
      maxPayloadLength: maxMessageBytes,
      maxBackpressure: limits.maxBufferedBytes - limits.maxFrameBytes - CORK_BYTES,
      closeOnBackpressureLimit: false,
      compression: 0,
      idleTimeout: IDLE_TIMEOUT_SECONDS,
      sendPingsAutomatically: true,
    };
    for (const path of WEBSOCKET_PATHS) app.ws<UserData>(path, behavior);
    addRoutes(app, {
      door,
      router,
      sessions,
      turn,
      peers,
      corsOrigins: () => corsOrigins,
      busy: shut,
      refused,
      logger,
      isTls: tls !== undefined,
      site,
      maxFrameBytes: limits.maxFrameBytes,
      times,
    });
    return app;
  }

  sessions.configure(tenantSettings(loaded));
  let app = publicApp(loaded.tls);
  const isShared = config.listen.shared;
  const listener = new Listener(app, loaded.tls, { ...config.listen, isShared });
  const adminApp = createApp(undefined);
  addAdminRoutes(adminApp, metrics, () => !isDraining, logger);
  const adminListening = orElse(
    () => listener.close(),
    () => listen(adminApp, { ...config.admin, isShared }),
  );
  let fingerprint = loaded.tls?.fingerprint;

  let announcedAtMs = Number.NEGATIVE_INFINITY;
  const stopSweep = startSweep(peers, time, clock, periodMs, () => {
    slices.tick();
    const nowMs = clock.monotonicMs();
    if (nowMs - announcedAtMs < 100) return;
    announcedAtMs = nowMs;
    channels.presence.announce();
    channels.reap(nowMs, CHANNEL_IDLE_MS);
    verifier.forgetExpired(clock.nowMs());
    memory.review();
    counters.backlogBytes = peers.backlogs.totalBytes;
  });

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    isDraining = true;
    logger.info({ connections: peers.count }, 'draining');
    if (!isShared) {
      await new Promise((resolve) => setTimeout(resolve, limits.drainDelayMs)); // newcomers are refused until everybody knows
      listener.close();
    } else {
      listener.close(); // and now all newcomers are the successor's, and so is the admin address
      adminListening.close();
      if (peers.count > 0) await successorAt({ host: config.listen.host, port: listener.port }, limits.drainDelayMs);
    }
    await drain(peers, peers.list(), { timeoutMs: limits.drainTimeoutMs, reason: 'shutdown' });
    stopSweep();
    adminListening.close();
    for (const each of [app, ...fanout.apps, adminApp]) each.close();
    metrics.stop();
  }

  /** Asks the connections of all but the latest certificates to come again. */
  function moveOldest(): void {
    const old = new Set(fanout.apps.slice(0, -MAX_CERTIFICATES));
    const going = peers.list().filter((peer) => old.has(peer.app) && peer.closing === null);
    if (going.length > 0) void drain(peers, going, { timeoutMs: limits.drainTimeoutMs, reason: 'reload' });
  }

  return {
    url: `${loaded.tls === undefined ? 'ws' : 'wss'}://${bracketed(config.listen.host)}:${listener.port}`,
    adminUrl: `http://${bracketed(config.admin.host)}:${adminListening.port}`,

    reload(next) {
      if (stopping !== undefined) return;
      const problems = restartProblems(config, next.config);
      if (problems.length > 0) throw new ConfigError(problems);
      if (next.tls?.fingerprint !== fingerprint) {
        app = publicApp(next.tls); // throws before anything changed
        listener.replace(app);
        fingerprint = next.tls?.fingerprint;
        moveOldest();
      }
      corsOrigins = next.config.cors.origins;
      verifier.setKeys(next.keys);
      const { closing, detached } = sessions.configure(tenantSettings(next));
      peers.performAll(closing, REVOKED);
      logger.info({ closed: closing.length, detached }, 'reloaded');
    },

    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

function tenantSettings({ config, keys }: LoadedConfig): ReadonlyMap<string, TenantSettings> {
  return new Map(
    Object.entries(config.tenants).map(([name, { limits }]) => [name, { limits, keys: keys.get(name) ?? new Map() }]),
  );
}

function orElse<T>(undo: () => void, act: () => T): T {
  try {
    return act();
  } catch (error) {
    undo();
    throw error;
  }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

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
import { adminApp } from './edge/admin.ts';
import { Budget } from './edge/budget.ts';
import { Door } from './edge/door.ts';
import { drain } from './edge/drain.ts';
import { UwsFanout } from './edge/fanout.ts';
import { addRoutes } from './edge/http.ts';
import { Listener } from './edge/listener.ts';
import { Lobby } from './edge/lobby.ts';
import { engineBytes, Memory } from './edge/memory.ts';
import { Peers } from './edge/peers.ts';
import { RunningTime } from './edge/running-time.ts';
import type { Site } from './edge/site.ts';
import { successorAt } from './edge/successor.ts';
import { startSweep } from './edge/sweep.ts';
import { upgradeHandler } from './edge/upgrade.ts';
import { createApp, type TemplatedApp } from './edge/uws.ts';
import { webSocketHandlers } from './edge/websocket.ts';
import { addWebSockets } from './edge/websocket-paths.ts';
import { ConfigError } from './errors.ts';
import { type Refusal, refusal } from './protocol/codes.ts';
import { Counters } from './telemetry/counters.ts';
import { faultOf, type Logger } from './telemetry/logger.ts';
import { createMetrics } from './telemetry/metrics.ts';
import { residentBytes } from './telemetry/resident-memory.ts';

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

const FULL = refusal('overloaded', 'the relay is full');
const SYSTEM_CLOCK: Clock = { nowMs: Date.now, monotonicMs: () => Math.floor(performance.now()) };
const MAX_SWEEP_PERIOD_MS = 250;
const CHANNEL_IDLE_MS = 60_000;
/** Connections of more certificates than this are not kept: those of the oldest are asked to come again. */
const MAX_CERTIFICATES = 4;

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
  const maxMessageBytes = Math.max(65_536, 4 * limits.maxFrameBytes);
  const budget = new Budget({
    limits: { ...limits, maxMessageBytes },
    counters,
    logger,
    nowMs: () => performance.now(),
    isBehindProxy: config.listen.behindProxy,
  });
  const peers = new Peers({ sessions, counters, budget, fanout, limits, runningMs });
  const memory = new Memory({
    backlogs: peers.backlogs,
    cut: (peer) => peers.cut(peer),
    limits,
    residentBytes,
    usedBytes: engineBytes,
  });
  const door = new Door({
    verify: (token) => verifier.verify(token, clock.nowMs()),
    sessions,
    budget,
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
  const busy = (): Refusal | null => shut() ?? (budget.isFull() ? FULL : null);

  function publicApp(tls: LoadedConfig['tls'], lobby: Lobby): TemplatedApp {
    const app = createApp(tls);
    const handlers = {
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
        maxWaitMs: limits.slowConsumerTimeoutMs / 2,
        runningMs,
        isTls: tls !== undefined,
      }),
      upgrade: upgradeHandler(app, {
        door,
        lobby,
        budget,
        drop: (peer) => peers.drop(peer),
        helloTimeoutMs: limits.helloTimeoutMs,
        runningMs,
        busy,
        refused,
        failed,
      }),
    };
    addWebSockets(app, handlers, { ...limits, maxMessageBytes });
    addRoutes(app, {
      door,
      router,
      sessions,
      turn,
      slices,
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
  const isShared = config.listen.shared;
  const newLobby = (tls: LoadedConfig['tls']): Lobby =>
    new Lobby(
      budget.callers,
      (ofApp) => publicApp(tls, ofApp),
      (app) => listener.replace(app),
    );
  let lobby = newLobby(loaded.tls);
  const listener = new Listener(lobby.serving, loaded.tls, { ...config.listen, isShared });
  const adminLobby = new Lobby(
    budget.admin,
    () => adminApp({ metrics, isReady: () => !isDraining, logger }),
    (app) => adminListener.replace(app),
  );
  const adminListener = orElse(
    () => listener.close(),
    () => new Listener(adminLobby.serving, undefined, { ...config.admin, isShared }),
  );
  let fingerprint = loaded.tls?.fingerprint;
  budget.warnIfShort();

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
    for (const each of [lobby, adminLobby]) each.review(nowMs);
    budget.review();
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
      adminListener.close();
      if (peers.count > 0) await successorAt({ host: config.listen.host, port: listener.port }, limits.drainDelayMs);
    }
    await drain(peers, peers.list(), { timeoutMs: limits.drainTimeoutMs, reason: 'shutdown' });
    stopSweep();
    adminListener.close();
    for (const each of [lobby, ...fanout.apps, adminLobby]) each.close();
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
    adminUrl: `http://${bracketed(config.admin.host)}:${adminListener.port}`,

    reload(next) {
      if (stopping !== undefined) return;
      const problems = restartProblems(config, next.config);
      if (problems.length > 0) throw new ConfigError(problems);
      if (next.tls?.fingerprint !== fingerprint) {
        const replacement = newLobby(next.tls); // throws before anything changed
        listener.replace(replacement.serving);
        lobby.retire();
        lobby = replacement;
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

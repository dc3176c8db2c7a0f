import { Command } from 'commander';
import { type LoadedConfig, loadConfigFile } from '../config/load.ts';
import { ConfigError } from '../errors.ts';
import type { Relay } from '../relay.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { LossyStream } from '../telemetry/lossy-stream.ts';
import { checkStart, lineOf, logWarnings } from './check.ts';
import { demoSite } from './demo.ts';
import { developmentConfig, developmentGuide } from './development.ts';
import { logPosture } from './posture.ts';
import { complain, print } from './print.ts';

interface ServeOptions {
  readonly config?: string;
  readonly check?: true;
}

/** A terminal and npm both pass a Ctrl-C on: a second signal this soon is the same one. */
const REPEAT_MS = 1000;

/** `mayfly serve`: runs a relay until SIGTERM or SIGINT drains it. Without a configuration: a development relay on loopback. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('run a relay; without --config, a development relay on loopback')
    .option('--config <file>', 'configuration file (also MAYFLY_CONFIG)')
    .option('--check', 'check the configuration and exit')
    .action(serve);
}

async function serve(options: ServeOptions): Promise<void> {
  const file = options.config ?? process.env.MAYFLY_CONFIG;
  if (file === undefined) {
    await serveForDevelopment(options.check === true);
    return;
  }
  const loaded = await loadConfigFile(file, process.env);
  const { startRelay } = await import('../relay.ts'); // the native server comes with it, so no other command has it
  await checkStart(loaded);
  if (options.check === true) {
    for (const warning of loaded.warnings) complain(`warning: ${lineOf(warning)}`);
    print('the configuration is good\n');
    return;
  }
  const logger = createLogger();
  const relay = startRelay(loaded, logger);
  logWarnings(loaded, logger);
  run(relay, logger, async () => {
    const next = await loadConfigFile(file, process.env);
    logWarnings(next, logger);
    return next;
  });
  logPosture(logger);
  new LossyStream(() => process.stdout).write(
    `${JSON.stringify({ event: 'listening', url: relay.url, admin: relay.adminUrl })}\n`,
  );
}

async function serveForDevelopment(isCheck: boolean): Promise<void> {
  const development = await developmentConfig(process.env);
  checkStart(development.loaded);
  if (isCheck) {
    print('no configuration: this would be a development relay\n');
    return;
  }
  const logger = createLogger();
  const site = await demoSite(development);
  const { startRelay } = await import('../relay.ts');
  const relay = startRelay(development.loaded, logger, { site });
  run(relay, logger, async () => development.loaded);
  new LossyStream(() => process.stdout).write(await developmentGuide(relay, development, site !== undefined));
}

function run(relay: Relay, logger: Logger, load: () => Promise<LoadedConfig>): void {
  let stoppingSinceMs: number | undefined;
  const stop = (): void => {
    if (stoppingSinceMs === undefined) {
      stoppingSinceMs = performance.now();
      relay.stop().then(() => process.exit(0));
    } else if (performance.now() - stoppingSinceMs > REPEAT_MS) {
      process.exit(1);
    }
  };
  let reloading = Promise.resolve();
  const reload = (): void => {
    reloading = reloading
      .then(load)
      .then(relay.reload)
      .catch((error: unknown) => {
        const problems = error instanceof ConfigError ? error.problems : [String(error)];
        logger.error({ problems }, 'reload refused; the configuration in force stays');
      });
  };
  process.on('SIGTERM', stop).on('SIGINT', stop).on('SIGHUP', reload);
  process.on('SIGXFSZ', () => {}); // a log file at its limit is a line lost, not the end
}

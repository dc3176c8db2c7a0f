import type { LoadedConfig } from '../config/load.ts';
import { ConfigError, type Problem } from '../errors.ts';
import type { Logger } from '../telemetry/logger.ts';

/** What a relay takes at least beyond what the process has when it begins. */
const HEADROOM_BYTES = 32 * 1024 * 1024;

/** Checks of a configuration what only the process that would serve can tell, without listening. Throws a ConfigError, or a RelayError where it could not serve at all. */
export async function checkStart({ config, tls }: LoadedConfig): Promise<void> {
  const neededBytes = process.memoryUsage.rss() + HEADROOM_BYTES;
  const { maxMemoryBytes } = config.limits;
  if (maxMemoryBytes < neededBytes) {
    const message = `is ${maxMemoryBytes}, and a relay without a single connection takes ${neededBytes}: all would be refused`;
    throw new ConfigError([{ path: 'limits.maxMemoryBytes', message }]);
  }
  const { createApp } = await import('../edge/uws.ts');
  createApp(tls).close();
}

/** Logs what is permitted and doubtful. The settings are named, so a tenant's name can be in it. */
export function logWarnings({ warnings }: LoadedConfig, logger: Logger): void {
  if (warnings.length > 0) logger.warn({ warnings: warnings.map(lineOf) }, 'the configuration is good, with doubts');
}

/** A warning as a line for people. */
export function lineOf({ path, message }: Problem): string {
  return `${path}: ${message}`;
}

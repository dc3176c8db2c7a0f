export { type LoadedConfig, loadConfig, loadConfigFile } from './config/load.ts';
export { ConfigError, type Problem, RelayError } from './errors.ts';
export { type Relay, type StartOptions, startRelay } from './relay.ts';
export { createLogger, type Logger } from './telemetry/logger.ts';

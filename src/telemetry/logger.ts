import { destination, type Logger, pino } from 'pino';

export type { Logger };

/** JSON lines on standard error. Callers pass counts, codes and durations: never an address, name, token or payload. */
export function createLogger(level: 'info' | 'silent' = 'info'): Logger {
  return pino({ base: null, level }, destination({ fd: 2, sync: true }));
}

import { type Logger, pino } from 'pino';
import { standardError } from './lossy-stream.ts';

export type { Logger };

/** JSON lines on standard error; one that it does not take is lost and counted. Callers pass counts, codes and durations: never an address, name, token or payload. */
export function createLogger(level: 'info' | 'silent' = 'info'): Logger {
  return pino({ base: null, level }, standardError);
}

/** What may be logged of an unexpected error: its name and where it was thrown. Its message could quote anything. */
export function faultOf(error: unknown): { readonly fault: string; readonly at: string | undefined } {
  if (!(error instanceof Error)) return { fault: typeof error, at: undefined };
  return { fault: error.name, at: /^ +at .*$/m.exec(error.stack ?? '')?.[0].trim() };
}

import { RelayError } from '../errors.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of a duration such as `90s`, `15m`, `1h` or `7d`. Throws a RelayError for anything else. */
export function parseDuration(text: string): number {
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const seconds = unit === undefined ? undefined : SECONDS[unit];
  if (count === undefined || seconds === undefined)
    throw new RelayError('token_unusable', `${JSON.stringify(text)} is not a duration such as 90s, 15m, 1h or 7d`);
  return Number(count) * seconds;
}

/** The pattern and letters of an option such as `room.>=rw`; the last `=` divides them. */
export function parseGrantOption(option: string, text: string): [pattern: string, letters: string] {
  const at = text.lastIndexOf('=');
  if (at <= 0) throw new RelayError('token_unusable', `${option} takes pattern=letters, such as "room.>=rw"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

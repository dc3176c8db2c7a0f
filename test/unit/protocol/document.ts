import { readFileSync } from 'node:fs';

const text = readFileSync(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');

/** The text of one numbered section of docs/PROTOCOL.md. */
export function section(number: number): string {
  const found = text.split(/^## /m).find((part) => part.startsWith(`${number}. `));
  if (found === undefined) throw new Error(`docs/PROTOCOL.md has no section ${number}`);
  return found;
}

/** The cells of the tables of a section, without their head. */
export function rows(number: number): string[][] {
  return section(number)
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\|[-|]+\|?$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
    .slice(1);
}

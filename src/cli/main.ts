import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { ConfigError, RelayError } from '../errors.ts';
import { complain, print } from './print.ts';

const EX_CONFIG = 78;

/** Each command with what it needs: only the one that is asked for is loaded, all of them for help. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['serve', async () => (await import('./serve.ts')).serveCommand()],
  ['token', async () => (await import('./token.ts')).tokenCommand()],
  ['keygen', async () => (await import('./keygen.ts')).keygenCommand()],
  ['pub', async () => (await import('./pub.ts')).pubCommand()],
  ['sub', async () => (await import('./sub.ts')).subCommand()],
]);

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('mayfly')
  .description('A transient-only message relay: nothing that passes is kept.')
  .version(version)
  .configureOutput({ writeOut: print, writeErr: (text) => complain(text.trimEnd()) })
  .exitOverride();
const [, , asked = ''] = process.argv;
for (const [name, load] of COMMANDS) if (name === asked || !COMMANDS.has(asked)) program.addCommand(await load());
inherit(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof ConfigError) {
    complain(`the configuration cannot be used:\n${error.message.replace(/^/gm, '  ')}`);
    process.exitCode = EX_CONFIG;
  } else if (error instanceof RelayError) {
    complain(error.message);
    process.exitCode = 1;
  } else if (error instanceof CommanderError) {
    process.exitCode ||= error.exitCode; // help, version, or what was wrong: it is printed
  } else {
    throw error;
  }
}

/** Gives a command's own output and exit to all below it. */
function inherit(command: Command): void {
  for (const child of command.commands) inherit(child.copyInheritedSettings(command));
}

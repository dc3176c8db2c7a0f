import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { ConfigError, RelayError } from '../errors.ts';
import { keygenCommand } from './keygen.ts';
import { pubCommand } from './pub.ts';
import { serveCommand } from './serve.ts';
import { subCommand } from './sub.ts';
import { tokenCommand } from './token.ts';

const EX_CONFIG = 78;

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const program = new Command('mayfly')
  .description('A transient-only message relay: nothing that passes is kept.')
  .version(version)
  .addCommand(serveCommand())
  .addCommand(tokenCommand())
  .addCommand(keygenCommand())
  .addCommand(pubCommand())
  .addCommand(subCommand());

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof ConfigError) {
    process.stderr.write(`the configuration cannot be used:\n${error.message.replace(/^/gm, '  ')}\n`);
    process.exitCode = EX_CONFIG;
  } else if (error instanceof RelayError) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}

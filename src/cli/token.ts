import { Command } from 'commander';
import { decodeJwt, decodeProtectedHeader, importJWK } from 'jose';
import { algorithmOf } from '../auth/keys.ts';
import { mintToken, verifyToken } from '../auth/tokens.ts';
import { loadConfigFile } from '../config/load.ts';
import { permissionsFor } from '../core/authorize.ts';
import { type Grant, lettersOf, parseLetters } from '../core/grants.ts';
import { Tenant } from '../core/tenant.ts';
import { tokenTimes } from '../core/token-times.ts';
import { RelayError } from '../errors.ts';
import { isChannelName } from '../protocol/channel.ts';
import { publicPart, readPrivateJwk } from './key-file.ts';
import { parseDuration, parseGrantOption } from './options.ts';
import { print } from './print.ts';
import { tokenOption } from './token-option.ts';

/** `mayfly token`: mint, inspect and explain tokens. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('mint, inspect and explain tokens')
    .addCommand(mintCommand())
    .addCommand(inspectCommand())
    .addCommand(explainCommand());
}

const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

interface MintOptions {
  readonly key: string;
  readonly tenant: string;
  readonly kid: string;
  readonly sub: string;
  readonly dev?: string;
  readonly jti?: string;
  readonly can?: readonly string[];
  readonly not?: readonly string[];
  readonly ops?: readonly string[];
  readonly ttl: string;
}

function mintCommand(): Command {
  return new Command('mint')
    .description('print a token signed with a private key')
    .requiredOption('--key <file>', 'private JWK, or what keygen printed')
    .requiredOption('--tenant <name>', 'the tenant (iss)')
    .requiredOption('--kid <id>', 'the id of the key in the configuration')
    .requiredOption('--sub <user>', 'the user')
    .option('--dev <device>', "the user's device")
    .option('--jti <id>', 'an id to revoke this token by')
    .option('--can <pattern=letters>', 'a grant, such as "room.>=rw"; repeat for more', collect)
    .option('--not <pattern=letters>', 'a denial; repeat for more', collect)
    .option('--ops <operation>', 'an authority operation, such as revoke; repeat for more', collect)
    .option('--ttl <duration>', 'how long it is good: 90s, 15m, 1h, 7d', '1h')
    .action(mint);
}

async function mint(options: MintOptions): Promise<void> {
  const jwk = await readPrivateJwk(options.key);
  const kind = algorithmOf(publicPart(jwk));
  if (typeof kind === 'string') throw new RelayError('key_unusable', `${options.key}: ${kind}`);
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: options.tenant,
    sub: options.sub,
    ...(options.dev === undefined ? {} : { dev: options.dev }),
    ...(options.jti === undefined ? {} : { jti: options.jti }),
    iat,
    exp: iat + parseDuration(options.ttl),
    can: Object.fromEntries((options.can ?? []).map((text) => parseGrantOption('--can', text))),
    ...(options.not === undefined
      ? {}
      : { not: Object.fromEntries(options.not.map((text) => parseGrantOption('--not', text))) }),
    ...(options.ops === undefined ? {} : { ops: options.ops }),
  };
  const key = await importJWK(jwk, kind.algorithm);
  print(`${await mintToken(claims, { key, algorithm: kind.algorithm, kid: options.kid })}\n`);
}

function inspectCommand(): Command {
  return new Command('inspect')
    .description('print what a token says of itself; nothing is verified')
    .argument('[token]', 'the token (also MAYFLY_TOKEN)')
    .action((given?: string) => {
      const token = tokenOption(given);
      try {
        print(`${JSON.stringify({ header: decodeProtectedHeader(token), claims: decodeJwt(token) }, null, 2)}\n`);
      } catch {
        throw new RelayError('token_unusable', 'this is not a JWT in compact form');
      }
    });
}

interface ExplainOptions {
  readonly config: string;
  readonly channel?: string;
}

function explainCommand(): Command {
  return new Command('explain')
    .description('say whether a relay with this configuration takes a token, and what it may do on a channel and why')
    .argument('[token]', 'the token (also MAYFLY_TOKEN)')
    .requiredOption('--config <file>', 'configuration file of the relay')
    .option('--channel <name>', 'the channel to ask about')
    .action(explain);
}

async function explain(given: string | undefined, options: ExplainOptions): Promise<void> {
  const { config, keys } = await loadConfigFile(options.config, process.env);
  const verified = await verifyToken(tokenOption(given), {
    keys,
    times: tokenTimes(config.limits),
    nowMs: Date.now(),
  });
  if ('status' in verified) {
    print(`${JSON.stringify({ accepted: false, ...verified }, null, 2)}\n`);
    process.exitCode = 1;
    return;
  }
  const limits = config.tenants[verified.tenant]?.limits;
  const ring = keys.get(verified.tenant);
  if (limits === undefined || ring === undefined)
    throw new RelayError('token_unusable', 'its tenant is not configured');
  const rules = new Tenant(verified.tenant, limits, ring).admit(verified);
  if ('status' in rules) throw new RelayError('token_unusable', rules.detail);
  const answer = {
    accepted: true,
    tenant: verified.tenant,
    sub: verified.sub,
    expiresInSeconds: Math.floor((verified.expiresAtMs - Date.now()) / 1000),
  };
  print(
    `${JSON.stringify(options.channel === undefined ? answer : { ...answer, ...channelAnswer(rules, options.channel) }, null, 2)}\n`,
  );
}

function channelAnswer(rules: Parameters<typeof permissionsFor>[0], channel: string) {
  if (!isChannelName(channel))
    throw new RelayError('token_unusable', `${JSON.stringify(channel)} is not a channel name`);
  const segments = channel.split('.');
  const everything = [{ pattern: ['>'], permissions: parseLetters('rwpa') ?? 0 }];
  const alone = (grants: readonly Grant[]): string =>
    lettersOf(permissionsFor({ can: grants, ceiling: everything, not: [], ops: [] }, segments));
  return {
    channel,
    permissions: lettersOf(permissionsFor(rules, segments)),
    granted: alone(rules.can),
    ceiling: alone(rules.ceiling),
    denied: alone(rules.not),
  };
}

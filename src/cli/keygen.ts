import { Command, Option } from 'commander';
import { exportJWK, generateKeyPair, generateSecret, type JWK } from 'jose';
import type { Algorithm } from '../auth/keys.ts';
import { ChannelKey } from '../client/index.ts';
import { publicPart, readPrivateJwk } from './key-file.ts';
import { print } from './print.ts';

interface KeygenOptions {
  readonly alg: Algorithm;
  readonly public?: string;
  readonly channel?: true;
}

/** `mayfly keygen`: prints a fresh pair of JWKs, `private` for the tenant's server, `public` for the relay's configuration. */
export function keygenCommand(): Command {
  return new Command('keygen')
    .description('print a fresh key pair as JWKs: {"private": …, "public": …}')
    .addOption(new Option('--alg <alg>', 'algorithm').choices(['EdDSA', 'ES256', 'RS256', 'HS256']).default('EdDSA'))
    .option('--public <file>', 'print only the public JWK of a pair printed before')
    .option('--channel', 'print a channel key for end-to-end encryption instead, for --key and MAYFLY_KEY')
    .action(keygen);
}

async function keygen({ alg, public: file, channel }: KeygenOptions): Promise<void> {
  if (channel === true) {
    print(`${Buffer.from(ChannelKey.random().toBytes()).toString('base64url')}\n`);
    return;
  }
  const privateJwk = file === undefined ? await generate(alg) : await readPrivateJwk(file);
  const publicJwk = publicPart(privateJwk);
  const printed = file === undefined ? { private: privateJwk, public: publicJwk } : publicJwk;
  print(`${JSON.stringify(printed, null, 2)}\n`);
}

async function generate(alg: Algorithm): Promise<JWK> {
  if (alg === 'HS256') return exportJWK(await generateSecret(alg, { extractable: true }));
  return exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey);
}

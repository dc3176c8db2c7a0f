import { expect, it } from 'vitest';
import { demoSite } from '../../../src/cli/demo.ts';
import { developmentConfig } from '../../../src/cli/development.ts';

it.each(['0.0.0.0', '192.0.2.1', '::'])('a development relay that listens on %s has no demo', async (host) => {
  const env = { MAYFLY_LISTEN_HOST: host, MAYFLY_LISTEN_BEHIND_PROXY: 'true' };
  expect(await demoSite(await developmentConfig(env))).toBeUndefined();
});

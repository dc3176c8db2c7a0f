import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { configWith, problemsOf } from './configs.ts';

const originsOf = async (...origins: string[]) =>
  (await loadConfig(configWith({ cors: { origins } }))).config.cors.origins;

describe('an origin of the configuration', () => {
  it.each([
    ['https://app.example', 'https://app.example'],
    ['https://app.example/', 'https://app.example'],
    ['HTTPS://App.Example', 'https://app.example'],
    ['https://app.example:443', 'https://app.example'],
    ['http://app.example:80/', 'http://app.example'],
    ['http://app.example:443', 'http://app.example:443'],
    ['https://app.example:8443', 'https://app.example:8443'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['http://[0:0:0:0:0:0:0:1]:3000', 'http://[::1]:3000'],
    ['http://localhost:5173', 'http://localhost:5173'],
    ['capacitor://localhost', 'capacitor://localhost'],
    ['chrome-extension://abcdefghijklmnop/', 'chrome-extension://abcdefghijklmnop'],
    ['App://Local:80', 'app://local:80'],
  ])('%s is taken as browsers send it: %s', async (written, sent) => {
    expect(await originsOf(written)).toEqual([sent]);
  });

  it.each([
    ['*', 'must be one origin: there are no wildcards, list each'],
    ['https://*.app.example', 'must be one origin: there are no wildcards, list each'],
    ['https://app.example/login', 'must be an origin and nothing behind it: https://app.example'],
    ['https://app.example//', 'must be an origin and nothing behind it: https://app.example'],
    ['https://app.example?x', 'must be an origin and nothing behind it: https://app.example'],
    ['https://app.example/#', 'must be an origin and nothing behind it: https://app.example'],
    ['https://user@app.example', 'must be an origin and nothing behind it: https://app.example'],
    [' https://app.example', 'must be an origin and nothing behind it: https://app.example'],
    ['https:app.example', 'must be an origin and nothing behind it: https://app.example'],
    ['https:\\\\app.example', 'must be an origin and nothing behind it: https://app.example'],
    ['app.example', 'must be an origin as browsers send it, such as https://app.example'],
    ['//app.example', 'must be an origin as browsers send it, such as https://app.example'],
    ['localhost:5173', 'must be an origin as browsers send it, such as https://app.example'],
    ['wss://app.example', 'must be an origin as browsers send it, such as https://app.example'],
    ['file:///index.html', 'must be an origin as browsers send it, such as https://app.example'],
    ['null', 'must be an origin as browsers send it, such as https://app.example'],
    ['https://', 'must be an origin as browsers send it, such as https://app.example'],
    ['https://app.example:99999', 'must be an origin as browsers send it, such as https://app.example'],
  ])('%s, which could never match, is refused and says what to write', async (origin, wanted) => {
    expect(await problemsOf(configWith({ cors: { origins: ['https://good.example', origin] } }))).toEqual([
      { path: 'cors.origins.1', message: `is ${JSON.stringify(origin)}, ${wanted}` },
    ]);
  });
});

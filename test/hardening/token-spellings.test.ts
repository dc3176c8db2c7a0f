import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KeyedRelay, startKeyedRelay } from './keyed-relay.ts';
import { expectRefused, INVALID } from './refused-token.ts';
import { expectAlive, type Innocents, innocent } from './support.ts';

const SPELLINGS = 10_000;
/** Far more than the relay's own doing in a few seconds, and far less than 10,000 tokens would take. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024;

/** A token of nearly 8 kB, with many grants. */
const LARGE = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`room-${i}`, 'r']));

describe('a token in many spellings', () => {
  let relay: KeyedRelay;
  let others: Innocents;
  beforeAll(async () => {
    const limits = { framesPerSecond: 1_000_000, bytesPerSecond: 1_000_000_000 }; // memory is tried here, not rates
    relay = await startKeyedRelay({ limits });
    others = await innocent(relay);
  });
  afterAll(() => relay.stop());

  it.each(['tenant-zebra', 'tenant-heron', 'tenant-ibis', 'tenant-lynx'])(
    'is refused in HELLO, over HTTP and at the upgrade in all but one, of whichever algorithm: %s',
    async (iss) => {
      const token = await relay.sign({ iss });
      await expectRefused(relay, token.replace(/.{20}$/, '=$&'), INVALID);
      await expectRefused(relay, token.replace(/\.([^.]*)\./, '.$1=.'), INVALID);
    },
  );

  it('costs the relay no memory: 10,000 renewals with white space elsewhere in the signature', async () => {
    const token = await relay.sign({ can: LARGE });
    const client = await relay.connect({ can: LARGE });
    const before = process.memoryUsage.rss();
    for (let i = 0; i < SPELLINGS; i++) {
      const gap = ' '.repeat(1 + (i % 100));
      const at = token.length - 1 - Math.floor(i / 100) / 2;
      const respelled = token.slice(0, at) + gap + token.slice(at);
      const [type, , status, code] = await client.request(5, respelled);
      expect([type, status, code]).toEqual([21, 403, 'token_invalid']);
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_GROWTH_BYTES);
    expect((await client.request(5, token))[0]).toBe(19);
    await expectAlive(client);
    await others.feltNothing();
  });

  it('and as many good tokens as a user can get cost it a bounded memory', async () => {
    const client = await relay.connect({ iss: 'tenant-lynx', can: LARGE });
    let before = 0;
    for (let i = 0; i < 3500; i++) {
      if (i === 2000) before = process.memoryUsage.rss(); // the heap has grown to what this load takes
      const token = await relay.sign({ iss: 'tenant-lynx', can: LARGE, jti: String(i) });
      expect((await client.request(5, token))[0]).toBe(19);
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(MAX_GROWTH_BYTES);
    await others.feltNothing();
  });
});

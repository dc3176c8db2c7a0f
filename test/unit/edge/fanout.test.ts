import { expect, it } from 'vitest';
import { UwsFanout } from '../../../src/edge/fanout.ts';
import type { TemplatedApp } from '../../../src/edge/uws.ts';

/** An app that counts what is published on it. */
function countingApp(): { readonly app: TemplatedApp; readonly publishes: () => number } {
  let count = 0;
  const app = { publish: () => ++count > 0 } as unknown as TemplatedApp; // nothing else of it is used
  return { app, publishes: () => count };
}

it('publishes to the apps that have connections, and an app whose last one is gone costs nothing', () => {
  const fanout = new UwsFanout(() => {}, 0);
  const old = Array.from({ length: 1000 }, countingApp);
  const now = countingApp();
  for (const { app } of old) fanout.opened(app);
  fanout.opened(now.app);
  fanout.publish('topic', Uint8Array.of(1), null);
  expect([old.every(({ publishes }) => publishes() === 1), now.publishes()]).toEqual([true, 1]);
  for (const { app } of old) fanout.closed(app);
  fanout.publish('topic', Uint8Array.of(1), null);
  expect([old.every(({ publishes }) => publishes() === 1), now.publishes()]).toEqual([true, 2]);
  expect(fanout.apps).toEqual([now.app]);
});

/** The process of one attacker: `attacker.ts ID`, its target as JSON in the environment. Says "ready" when it is at full strength. */
import { setPriority } from 'node:os';
import { ATTACKS } from './attacks.ts';
import type { Target } from './target.ts';

const LOWEST_PRIORITY = 19;

setPriority(LOWEST_PRIORITY); // so that those it would harm, who share the load's core with it, are not held up by this process itself
const attack = ATTACKS.find(({ id }) => id === process.argv[2]);
if (attack === undefined) throw new Error('no such attack');
let isReady = false;
await attack.attack(JSON.parse(process.env.TARGET ?? '') as Target, () => {
  if (!isReady) process.stdout.write('ready\n');
  isReady = true;
});

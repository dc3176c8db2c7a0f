// Three members change their key while they talk, and no message is refused: npx tsx examples/rotate-keys.ts
import { type Channel, ChannelKey, connect, KeyRing, type Relay } from 'mayfly/client';
import { options, relayUrl } from './environment.ts';

const NAMES = ['alice', 'bob', 'carol'];
const MESSAGES_A_STEP = 50;

interface Member {
  readonly name: string;
  readonly relay: Relay;
  readonly room: Channel;
  readonly ring: KeyRing;
  /** Resolves with what it heard and what was refused, once it got all frames of the others. */
  readonly counts: Promise<{ heard: number; refused: number }>;
}

/** Joins with a ring of its own, as on a device of its own. */
async function join(name: string, key: ChannelKey, frameCount: number): Promise<Member> {
  const relay = await connect(relayUrl, options);
  const ring = new KeyRing(key);
  const room = await relay.channel('room.42', { key: ring });
  const counts = { heard: 0, refused: 0 };
  const complete = new Promise<typeof counts>((resolve) => {
    const count = (what: keyof typeof counts): void => {
      counts[what]++;
      if (counts.heard + counts.refused === frameCount) resolve(counts);
    };
    room.on('message', () => count('heard'));
    room.on('refused', () => count('refused'));
  });
  return { name, relay, room, ring, counts: complete };
}

const [key, next] = [ChannelKey.random(), ChannelKey.random()];
const stepCount = 1 + 2 * NAMES.length;
const frameCount = stepCount * MESSAGES_A_STEP * (NAMES.length - 1);
const members = await Promise.all(NAMES.map((name) => join(name, key, frameCount)));

// #region order
const steps = [
  { what: 'all talk', act: () => {} },
  // 1. Every member learns the next key, and says that it has. It opens frames of both keys now, and seals with the old one.
  ...members.map(({ name, ring }) => ({ what: `${name} prepares`, act: () => ring.prepare(next) })),
  // 2. Only when all have prepared, each goes over to the next key, in any order. Frames under way still open for a minute.
  ...members.map(({ name, ring }) => ({ what: `${name} rotates`, act: () => ring.rotate(next, { graceMs: 60_000 }) })),
];
for (const { what, act } of steps) {
  console.log(what);
  act();
  for (let i = 0; i < MESSAGES_A_STEP; i++) await Promise.all(members.map(({ room }) => room.publish(`${what} ${i}`)));
}
// #endregion

for (const { name, ring, counts } of members) {
  const { heard, refused } = await counts;
  console.log(`${name}: ${heard} heard, ${refused} refused, generation ${ring.generation}`);
}
for (const { relay } of members) relay.close();

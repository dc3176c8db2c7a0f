import type { Role } from './peer.ts';
import type { WindowShape } from './window.ts';

/** The relays that are compared: this one, bare uWebSockets.js, and, where it is given, another build of this one. */
export type RelayName = 'mayfly' | 'bare' | 'before';

/** One connection of a scenario. */
export interface Member extends Role {
  readonly topic: string;
  /** How many others get each message it publishes. */
  readonly receiverCount: number;
  /** Index of the member that publishes next, once everybody has this one's window. */
  readonly next: number;
  /** Whether it publishes a window at the start. */
  readonly starts: boolean;
}

/** One load, and the most that Mayfly's server CPU per delivery may be in units of the bare relay's. */
export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly relays: readonly RelayName[];
  readonly window: WindowShape;
  readonly members: readonly Member[];
  readonly aim: number | null;
}

const BOTH: readonly RelayName[] = ['mayfly', 'bare'];
const MAYFLY_ONLY: readonly RelayName[] = ['mayfly'];

/** Every scenario of the fan-out bench, in the order it runs them. */
export const SCENARIOS: readonly Scenario[] = [
  oneToMany('fan-out-1', 1, 1.15),
  oneToMany('fan-out-32', 32, 1.3),
  oneToMany('fan-out-64', 64, 0.1),
  {
    id: 'rooms',
    title: '500 rooms of 2, each message answered',
    relays: BOTH,
    window: { size: 1, isJoined: false },
    members: rooms(500),
    aim: null,
  },
  {
    id: 'fan-in',
    title: '100 to 1, 8 in flight from each',
    relays: BOTH,
    window: { size: 8, isJoined: false },
    members: fanIn(100),
    aim: 0.3,
  },
  oneMessage('joined-32', 32),
  oneMessage('joined-64', 64),
];

function oneToMany(id: string, size: number, aim: number): Scenario {
  const title = `fan-out 1 to 1,000, ${size} in flight`;
  return { id, title, relays: BOTH, window: { size, isJoined: false }, members: fanOut(1000), aim };
}

function oneMessage(id: string, size: number): Scenario {
  const title = `fan-out 1 to 1,000, ${size} in one WebSocket message`;
  return { id, title, relays: MAYFLY_ONLY, window: { size, isJoined: true }, members: fanOut(1000), aim: null };
}

function fanOut(subscriberCount: number): Member[] {
  return [publisher('news', 0, subscriberCount), ...Array.from({ length: subscriberCount }, () => subscriber('news'))];
}

function fanIn(publisherCount: number): Member[] {
  return [subscriber('desk'), ...Array.from({ length: publisherCount }, (_, i) => publisher('desk', i + 1, 1))];
}

function rooms(count: number): Member[] {
  return Array.from({ length: 2 * count }, (_, i) => ({
    topic: `room.${i >> 1}`,
    publishes: true,
    subscribes: true,
    receiverCount: 1,
    next: i ^ 1,
    starts: i % 2 === 0,
  }));
}

function publisher(topic: string, index: number, receiverCount: number): Member {
  return { topic, publishes: true, subscribes: false, receiverCount, next: index, starts: true };
}

function subscriber(topic: string): Member {
  return { topic, publishes: false, subscribes: true, receiverCount: 0, next: 0, starts: false };
}

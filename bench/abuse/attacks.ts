import { FRAME_ATTACKS } from './frame-attacks.ts';
import { HTTP_ATTACKS } from './http-attacks.ts';
import { SOCKET_ATTACKS } from './socket-attacks.ts';
import type { Target } from './target.ts';

/** What one attacker does. `attack` calls `ready` once it is at full strength, and goes on until its process is ended. */
export interface Attack {
  readonly id: string;
  readonly title: string;
  attack(target: Target, ready: () => void): Promise<void>;
}

/** Every attack of the bench, in the order it runs them. */
export const ATTACKS: readonly Attack[] = [...SOCKET_ATTACKS, ...FRAME_ATTACKS, ...HTTP_ATTACKS];

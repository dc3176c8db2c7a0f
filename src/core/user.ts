import type { Channel } from './channel.ts';

/** One user of a tenant, by the `sub` of tokens: what is charged to them whatever connections they have. */
export class User {
  readonly sub: string;
  connectionCount = 0;
  /** Live channels they brought to life. */
  channelCount = 0;
  /** Those of them that only patterns keep alive, the one left behind first in front. */
  readonly orphans = new Set<Channel>();

  constructor(sub: string) {
    this.sub = sub;
  }
}

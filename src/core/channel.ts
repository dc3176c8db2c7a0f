import type { Pattern } from '../protocol/channel.ts';
import { Batch } from './batch.ts';
import type { Tenant } from './tenant.ts';
import type { User } from './user.ts';

/** A live channel of one tenant. Its random id is unique in this relay and is also its epoch. */
export class Channel {
  readonly id: number;
  readonly name: string;
  readonly segments: Pattern;
  readonly tenant: Tenant;
  /** Who brought it to life. */
  readonly maker: User;
  /** Its place in the order in which the tenant's channels came to life. */
  readonly serial: number;
  /** False from its end on; connections may still have to be told. */
  isLive = true;
  /** Number of the latest frame; 0 for none. */
  seq = 0;
  /** Connections attached by name, and through a pattern or by name. */
  namedCount = 0;
  occupancy = 0;
  readonly frames: Batch;
  readonly notices: Batch;

  constructor(id: number, name: string, segments: Pattern, tenant: Tenant, maker: User) {
    this.id = id;
    this.name = name;
    this.segments = segments;
    this.tenant = tenant;
    this.maker = maker;
    this.serial = tenant.births.nextSerial;
    const topic = id.toString(36);
    this.frames = new Batch(topic, tenant.share);
    this.notices = new Batch(`${topic}!`, tenant.share);
  }
}

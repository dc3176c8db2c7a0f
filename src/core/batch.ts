import type { Connection } from './ports.ts';
import { Share } from './share.ts';

/** Frames of one topic that wait for the end of the turn. Filled and emptied by Turn alone. */
export class Batch {
  readonly topic: string;
  /** Whose work it is to hand it on. */
  readonly share: Share;
  /** Connections that get it. */
  subscriberCount = 0;
  buffer: Uint8Array | null = null;
  used = 0;
  /** The connection that sent every frame in it and wants none back; null when there is no such one. */
  except: Connection | null = null;
  /** The turn this batch was last used in, and its frames then. */
  turn = 0;
  frames = 0;
  /** Whether the turn before had several frames: then the first one waits for company too. */
  isBusy = false;

  constructor(topic: string, share = new Share()) {
    this.topic = topic;
    this.share = share;
  }
}

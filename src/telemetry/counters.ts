import type { Meter } from '../core/ports.ts';

/** The relay's counters: plain numbers, added to on the message path and read at a scrape. No tenant, channel or user in any. */
export class Counters implements Meter {
  connections = 0;
  channels = 0;
  /** Bytes that wait for connections to read, when last looked at. */
  backlogBytes = 0;
  attachments = 0;
  framesIn = 0;
  bytesIn = 0;
  deliveries = 0;
  deliveredBytes = 0;
  slowConsumers = 0;
  cutConnections = 0;
  readonly refusals = new Map<number, number>();
  readonly closes = new Map<number, number>();

  refused(status: number): void {
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
  }

  /** Counts one connection the relay closed, under the close code. */
  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }
}

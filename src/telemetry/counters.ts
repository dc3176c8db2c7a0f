import type { Meter } from '../core/ports.ts';

/** Why a socket was ended before its time: its kind had no room; it gave way to a newcomer; it was cut, for too many were closing. */
export type DropReason = 'crowded' | 'gave_way' | 'closing';

/** Sockets by what they are: without a token, let in by one, closed and not gone yet. */
export type SocketState = 'unauthenticated' | 'open' | 'closing';

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
  readonly sockets = new Map<SocketState, number>();
  readonly drops = new Map<DropReason, number>();
  readonly refusals = new Map<number, number>();
  readonly closes = new Map<number, number>();

  refused(status: number): void {
    this.refusals.set(status, (this.refusals.get(status) ?? 0) + 1);
  }

  /** Counts one socket that was ended before its time. */
  dropped(reason: DropReason): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  /** Counts one connection the relay closed, under the close code. */
  closed(code: number): void {
    this.closes.set(code, (this.closes.get(code) ?? 0) + 1);
  }
}

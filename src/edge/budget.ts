import type { Counters, DropReason } from '../telemetry/counters.ts';
import type { Logger } from '../telemetry/logger.ts';
import { AddressPrefixes, type Prefix, UNKNOWN } from './address-prefix.ts';
import { Callers } from './callers.ts';
import { Crowd, type Place } from './crowd.ts';
import { countDescriptors, descriptorLimit, descriptorsInUse } from './descriptors.ts';
import { Lingering } from './lingering.ts';
import { type ShareLimits, type Shares, shareOut } from './shares.ts';
import type { HttpResponse } from './uws.ts';

/** What the budget needs of the relay. */
export interface BudgetPorts {
  readonly limits: ShareLimits;
  readonly counters: Counters;
  readonly logger: Logger;
  /** Running time: never goes back. */
  readonly nowMs: () => number;
  /** Whether sockets come from a proxy, so that their addresses are not their clients'. */
  readonly isBehindProxy: boolean;
}

/** Being short of room is over when nobody was refused for this long. */
const CALM_MS = 10_000;

/**
 * Knows what sockets there are and may be. A socket begins as a caller (HTTP, or nothing yet); it is a greeter from the upgrade to HELLO,
 * open once a token let it in, and closing until its client has closed it too. Each kind has its own share of the descriptors: so none
 * is kept out by another, and the process never runs out of them.
 */
export class Budget {
  /** Sockets of the public listener before an upgrade, and those of the admin listener. */
  readonly callers: Callers;
  readonly admin: Callers;
  readonly #ports: BudgetPorts;
  readonly #shares: Shares;
  /** Descriptors that the process may have, and those it had before any socket. */
  readonly #limit = descriptorLimit();
  readonly #taken = countDescriptors();
  readonly #greeters = new Crowd(() => this.#dropped('gave_way'));
  readonly #lingering = new Lingering();
  readonly #prefixes = new AddressPrefixes();
  #openCount = 0;
  #shortAtMs: number | null = null;

  constructor(ports: BudgetPorts) {
    this.#ports = ports;
    this.#shares = shareOut(ports.limits, this.#limit, this.#taken);
    const shared = {
      prefixOf: (response: HttpResponse) => this.prefixOf(response),
      nowMs: ports.nowMs,
      dropped: (reason: DropReason) => this.#dropped(reason),
    };
    this.callers = new Callers({ ...shared, capacity: () => this.#callersRoom() });
    this.admin = new Callers({ ...shared, capacity: () => this.#shares.admin });
  }

  /** Says so, once, where the system grants fewer descriptors than the settings need. */
  warnIfShort(): void {
    const { maxConnections } = this.#ports.limits;
    const { connections, wanted } = this.#shares;
    if (connections === maxConnections) return;
    const limit = this.#limit;
    this.#ports.logger.warn({ limit, wanted, maxConnections, connections }, 'too few descriptors for maxConnections');
  }

  /** Where a request comes from. Behind a proxy that is known only if the proxy tells, by the PROXY protocol, version 2. */
  prefixOf(response: HttpResponse): Prefix {
    const { isBehindProxy } = this.#ports;
    return this.#prefixes.of(isBehindProxy ? response.getProxiedRemoteAddress() : response.getRemoteAddress());
  }

  /** A place for a WebSocket until HELLO; null: the upgrade must be refused. `giveWay` ends it for another. */
  greet(prefix: Prefix, giveWay: () => void): Place | null {
    const isLeaving = prefix !== UNKNOWN && this.#lingering.has(prefix);
    const isCrowded = isLeaving && this.#closingCount() > this.#shares.closing / 2; // none of those can be ended for others
    const room = { capacity: this.#shares.greeters, nowMs: this.#ports.nowMs() };
    const place = isCrowded ? null : this.#greeters.join(prefix, giveWay, room);
    if (place === null) this.#dropped('crowded');
    return place;
  }

  /** Takes back the place of one that leaves before HELLO. */
  leave(place: Place): void {
    this.#greeters.leave(place);
  }

  /** Counts a connection that a token lets in, in exchange for its place; `isFull` says whether there is room. */
  admit(place: Place | null): void {
    if (place !== null) this.#greeters.leave(place);
    this.#openCount++;
  }

  /** Whether all are open that may be. */
  isFull(): boolean {
    const { connections, closing } = this.#shares;
    if (this.#openCount + Math.max(0, this.#closingCount() - closing) < connections) return false;
    this.#short();
    return true;
  }

  /** One that was open is not any more. */
  release(): void {
    this.#openCount--;
  }

  /** Whether a WebSocket may be closed in so many words; it must be cut otherwise. Strangers have a quarter of the places for that. */
  mayLinger(isIn: boolean): boolean {
    if (isIn ? this.#excess() < 0 : this.#closingCount() < this.#shares.closing / 4) return true;
    this.#dropped('closing');
    return false;
  }

  /** Takes note of a WebSocket that was closed in so many words, by either side. */
  linger(prefix: Prefix): void {
    this.#lingering.add(prefix, this.#ports.nowMs());
  }

  /** Brings the metrics up to date, and says once when it is over that sockets had to be refused. */
  review(): void {
    const { counters, logger, nowMs } = this.#ports;
    counters.sockets.set('unauthenticated', this.callers.count + this.#greeters.count);
    counters.sockets.set('open', this.#openCount);
    counters.sockets.set('closing', this.#closingCount());
    if (this.#shortAtMs === null || nowMs() - this.#shortAtMs < CALM_MS) return;
    this.#shortAtMs = null;
    logger.info(Object.fromEntries(counters.sockets), 'there is room for every socket again');
  }

  /** What nobody else uses, callers may, but for what their headers may take of the memory. */
  #callersRoom(): number {
    return Math.min(this.#shares.callers - this.#excess(), this.#shares.mostCallers);
  }

  /** By how many those that are open or closing are more than their shares; below zero, how many more there may be. */
  #excess(): number {
    return this.#openCount + this.#closingCount() - this.#shares.connections - this.#shares.closing;
  }

  /** As many as may be closing; where that is many, no more than the descriptors that nothing else accounts for, if the system tells. */
  #closingCount(): number {
    const most = this.#lingering.count(this.#ports.nowMs());
    if (most <= this.#shares.closing / 8) return most;
    const inUse = descriptorsInUse();
    if (inUse === null) return most;
    const known = this.callers.count + this.admin.count + this.#greeters.count + this.#openCount;
    return Math.max(0, Math.min(most, inUse - this.#taken - known));
  }

  #dropped(reason: DropReason): void {
    this.#ports.counters.dropped(reason);
    this.#short();
  }

  /** Says once that sockets are refused. */
  #short(): void {
    const { counters, logger, nowMs } = this.#ports;
    if (this.#shortAtMs === null) {
      logger.warn(Object.fromEntries(counters.sockets), 'short of room for sockets: some are refused');
    }
    this.#shortAtMs = nowMs();
  }
}

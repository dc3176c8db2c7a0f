import type { Tenant } from '../core/tenant.ts';
import type { Peer } from './peer.ts';

interface Backlog {
  readonly peer: Peer;
  /** null while the connection has no session. */
  readonly tenant: Tenant | null;
  bytes: number;
}

/** A tenant that is over is brought to this part of what it may have, so that it is not over again at once. */
const RELIEF = 0.75;

/** The bytes that wait for connections to read: of each, of each tenant, and in all, as they were when last looked at. */
export class Backlogs {
  readonly #backlogs = new Map<Peer, Backlog>();
  readonly #sums = new Map<Tenant | null, number>();
  #totalBytes = 0;

  /** Bytes that wait in all. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** Takes note of what waits for a connection; 0 for one that is gone. */
  note(peer: Peer, bytes: number): void {
    const known = this.#backlogs.get(peer);
    if (known === undefined && bytes === 0) return;
    const backlog = known ?? { peer, tenant: peer.session?.tenant ?? null, bytes: 0 };
    const change = bytes - backlog.bytes;
    const sum = (this.#sums.get(backlog.tenant) ?? 0) + change;
    this.#totalBytes += change;
    backlog.bytes = bytes;
    if (bytes === 0) this.#backlogs.delete(peer);
    else this.#backlogs.set(peer, backlog);
    if (sum === 0) this.#sums.delete(backlog.tenant);
    else this.#sums.set(backlog.tenant, sum);
  }

  /** The connections whose end brings every tenant below its limit, and all together below `maxTotalBytes`: the largest of the heaviest tenants. */
  excess(maxTotalBytes: number): Peer[] {
    const over: Peer[] = [];
    let leftBytes = this.#totalBytes;
    const heaviestFirst = [...this.#sums].sort(([, a], [, b]) => b - a);
    for (const [tenant, sum] of heaviestFirst) {
      const limit = tenant?.limits.backlogBytes ?? maxTotalBytes;
      const tooMuch = Math.max(
        sum > limit ? sum - limit * RELIEF : 0,
        leftBytes > maxTotalBytes ? leftBytes - maxTotalBytes * RELIEF : 0,
      );
      if (tooMuch <= 0) continue;
      let relieved = 0;
      for (const { peer, bytes } of this.#largestOf(tenant)) {
        if (relieved >= tooMuch) break;
        relieved += bytes;
        over.push(peer);
      }
      leftBytes -= relieved;
    }
    return over;
  }

  #largestOf(tenant: Tenant | null): Backlog[] {
    return [...this.#backlogs.values()].filter((each) => each.tenant === tenant).sort((a, b) => b.bytes - a.bytes);
  }
}

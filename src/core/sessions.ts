import { encodeFrame } from '../protocol/codec.ts';
import { type Refusal, refusal } from '../protocol/codes.ts';
import { FrameType } from '../protocol/frames.ts';
import type { Channels } from './channels.ts';
import type { KeyCeiling, Rules, VerifiedToken } from './grants.ts';
import { heads } from './heads.ts';
import { randomId } from './ids.ts';
import { closeFor, closeWith, type Outcome, refuseWith, replyWith } from './outcome.ts';
import type { Connection, Fanout } from './ports.ts';
import { regrant } from './regrant.ts';
import type { Revocation } from './revocations.ts';
import { Session, type SessionLimits } from './session.ts';
import type { Share } from './share.ts';
import type { Slices, Work } from './slices.ts';
import { Tenant, type TenantLimits } from './tenant.ts';
import type { Turn } from './turn.ts';
import { type Withdrawal, withdraw } from './withdraw.ts';

/** What the configuration says of a tenant. */
export interface TenantSettings {
  readonly limits: TenantLimits;
  readonly keys: ReadonlyMap<string, KeyCeiling>;
}

/** What a reload did: sessions the edge must close, and how many attachments it ended on others. */
export interface Readmission {
  readonly closing: readonly Session[];
  readonly detached: number;
}

const GONE = refusal('token_invalid', 'not a token signed by a known key of its tenant');

/** Every tenant and session of the relay. */
export class Sessions {
  readonly #tenants = new Map<string, Tenant>();
  readonly #senders = new Set<number>();
  readonly #channels: Channels;
  readonly #turn: Turn;
  readonly #fanout: Fanout;
  readonly #slices: Slices;
  readonly #limits: SessionLimits;

  constructor(channels: Channels, turn: Turn, fanout: Fanout, slices: Slices, limits: SessionLimits) {
    this.#channels = channels;
    this.#slices = slices;
    this.#turn = turn;
    this.#fanout = fanout;
    this.#limits = limits;
  }

  /** The tenant and rules of a verified token, as they are now. */
  admit(token: VerifiedToken): { tenant: Tenant; rules: Rules } | Refusal {
    this.#turn.open();
    const tenant = this.#tenants.get(token.tenant);
    if (tenant === undefined) return GONE;
    const rules = tenant.admit(token);
    return 'status' in rules ? rules : { tenant, rules };
  }

  /** Opens a session for a connection whose token was verified. */
  open(connection: Connection, token: VerifiedToken): Session | Refusal {
    this.#turn.open();
    const admitted = this.admit(token);
    if ('status' in admitted) return admitted;
    const { tenant, rules } = admitted;
    if (tenant.sessions.size >= tenant.limits.connections)
      return refusal('too_many_connections', 'the tenant has too many connections');
    const user = tenant.user(token.sub);
    if (user.connectionCount >= tenant.limits.connectionsPerUser)
      return refusal('too_many_user_connections', 'this user has too many connections');
    const sender = randomId((id) => this.#senders.has(id));
    const session = new Session({ connection, tenant, user, token, rules }, sender, this.#limits, this.#turn.nowMs);
    this.#senders.add(sender);
    tenant.sessions.add(session);
    user.connectionCount++;
    return session;
  }

  /** Forgets a session whose connection is gone. */
  close(session: Session): void {
    this.#turn.open();
    session.isClosed = true;
    this.#channels.leave(session);
    session.tenant.sessions.delete(session);
    session.user.connectionCount--;
    session.tenant.release(session.user);
    this.#senders.delete(session.sender);
  }

  /** Answers a RENEW whose token was verified, or refused. */
  async renew(session: Session, ref: number, verified: VerifiedToken | Refusal): Promise<Outcome> {
    this.#turn.open();
    session.isRenewing = false;
    const refuse = (refused: Refusal): Outcome => refuseWith(refused, { ref });
    if ('status' in verified) return refuse(verified);
    if (verified.tenant !== session.token.tenant || verified.sub !== session.token.sub) {
      return refuse(refusal('renew_mismatch', 'the token is for another tenant or user'));
    }
    const rules = session.tenant.admit(verified);
    if ('status' in rules) return refuse(rules);
    session.setToken(verified, this.#turn.nowMs);
    const detached: Uint8Array[] = [];
    session.isRenewing = true; // until its attachments are those of the new grants
    await this.#all(session.tenant.share, regrant(session, rules, this.#channels, detached));
    session.isRenewing = false;
    return replyWith(encodeFrame([FrameType.RENEWED, ref, Math.floor(verified.expiresAtMs / 1000)]), ...detached);
  }

  /** HEAD for every channel of a connection that lost frames and has room again. */
  headsFor(session: Session): Outcome {
    this.#turn.open();
    session.isLossy = false;
    return replyWith(...heads(session, this.#turn));
  }

  /**
   * Takes a revocation into force on one tenant: at once for whatever is asked from now on, and by the time the promise resolves on every live
   * session. `close` ends the connection of a session.
   */
  async revoke(
    tenant: Tenant,
    revocation: Revocation,
    close: (session: Session) => void,
  ): Promise<Withdrawal | Refusal> {
    this.#turn.open();
    if (!tenant.revocations.add(revocation, this.#turn)) {
      return refusal('too_many_revocations', 'the tenant has too many revocations in force');
    }
    const withdrawal = { closed: 0, detached: 0 };
    const ports = { channels: this.#channels, fanout: this.#fanout, close };
    await this.#all(tenant.authority, withdraw(tenant, revocation, withdrawal, ports));
    return withdrawal;
  }

  /** Sets the tenants to these: new ones are made, known ones changed, and those not named lose their sessions; their revocations stay. */
  configure(settings: ReadonlyMap<string, TenantSettings>): Readmission {
    this.#turn.open();
    const closing: Session[] = [];
    let detached = 0;
    for (const [name, { limits, keys }] of settings) {
      const tenant = this.#tenants.get(name);
      if (tenant === undefined) this.#tenants.set(name, new Tenant(name, limits, keys));
      else tenant.configure(limits, keys);
    }
    for (const [name, tenant] of this.#tenants) {
      if (!settings.has(name)) tenant.configure(tenant.limits, new Map());
      const withdrawn = this.#readmit(tenant);
      closing.push(...withdrawn.closing);
      detached += withdrawn.detached;
      if (!settings.has(name) && tenant.revocations.isOver(this.#turn)) this.#tenants.delete(name); // it may come back
    }
    return { closing, detached };
  }

  /** Resolves when all of the work is done. */
  #all(share: Share, work: Work): Promise<void> {
    return new Promise((resolve) => {
      this.#slices.begin(share, work, resolve);
    });
  }

  #readmit(tenant: Tenant): Readmission {
    const closing: Session[] = [];
    let detached = 0;
    for (const session of tenant.sessions) {
      const rules = tenant.admit(session.token);
      if ('status' in rules) {
        closing.push(session);
        continue;
      }
      if (rules.ceiling === session.rules.ceiling) {
        session.rules = rules; // nothing else of them can have changed
        continue;
      }
      const frames: Uint8Array[] = [];
      this.#slices.finish(regrant(session, rules, this.#channels, frames));
      for (const frame of frames) this.#fanout.send(session.connection, frame);
      detached += frames.length;
    }
    return { closing, detached };
  }
}

/** The close for a session whose token was revoked or whose key is gone. */
export const REVOKED: Outcome = closeWith(closeFor('token_revoked'));

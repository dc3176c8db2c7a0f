import { encode } from '@msgpack/msgpack';
import { Channels } from '../../../src/core/channels.ts';
import { Control } from '../../../src/core/control.ts';
import { Dispatch } from '../../../src/core/dispatch.ts';
import type { Grant, KeyCeiling, VerifiedToken } from '../../../src/core/grants.ts';
import { LATER, type Outcome } from '../../../src/core/outcome.ts';
import { Router } from '../../../src/core/router.ts';
import type { Session } from '../../../src/core/session.ts';
import { Sessions } from '../../../src/core/sessions.ts';
import { Slices } from '../../../src/core/slices.ts';
import { Turn } from '../../../src/core/turn.ts';
import { Counters } from '../../../src/telemetry/counters.ts';
import { FakeFanout, type Frame, framesIn } from './fake-fanout.ts';

const BITS: Readonly<Record<string, number>> = { r: 1, w: 2, p: 4, a: 8 };

/** Grants as a token writes them, read without the relay's own parser. */
export function grants(map: Readonly<Record<string, string>>): Grant[] {
  return Object.entries(map).map(([pattern, letters]) => ({
    pattern: pattern.split('.'),
    permissions: [...letters].reduce((bits, letter) => bits | (BITS[letter] ?? 0), 0),
  }));
}

/** A verified token of `alice` that is good for an hour of the world's clock and may do everything, but for `claims`. */
export function tokenWith(claims: Partial<VerifiedToken> = {}): VerifiedToken {
  return {
    tenant: 'acme',
    sub: 'alice',
    dev: undefined,
    jti: undefined,
    kid: 'app',
    keyThumbprint: 'app',
    issuedAtMs: START_MS,
    notBeforeMs: START_MS,
    expiresAtMs: START_MS + 3_600_000,
    can: grants({ '>': 'rwpa' }),
    not: [],
    ops: [],
    ...claims,
  };
}

export const START_MS = 1_790_000_000_000;
const UNLIMITED = {
  connections: 1000,
  connectionsPerUser: 10_000,
  channels: 1000,
  channelsPerUser: 10_000,
  framesPerSecond: 1_000_000,
  deliveriesPerSecond: 1_000_000,
  backlogBytes: 1_000_000,
};
export const KEY: KeyCeiling = { thumbprint: 'app', ceiling: grants({ '>': 'rwpa' }), ops: ['revoke'] };

/** The core, composed over a fake fan-out, with time and the end of a turn in the test's hand. */
export class World {
  nowMs = START_MS;
  readonly fanout = new FakeFanout();
  readonly meter = new Counters();
  readonly limits = {
    maxAttachments: 100,
    framesPerSecond: 1e6,
    bytesPerSecond: 1e9,
    maxFrameBytes: 65_536,
    maxBufferedBytes: 1_048_576,
  };
  readonly turn = new Turn(this.fanout, { nowMs: () => this.nowMs, monotonicMs: () => this.nowMs }, (end) =>
    this.#ends.push(end),
  );
  readonly slices: Slices;
  readonly channels: Channels;
  readonly sessions: Sessions;
  readonly router: Router;
  readonly dispatch: Dispatch;
  readonly #ends: (() => void)[] = [];

  /** `unitsAtOnce` is how much of a long work is done at once. */
  constructor(limits: Partial<World['limits']> = {}, tenantLimits: Partial<typeof UNLIMITED> = {}, unitsAtOnce = 200) {
    Object.assign(this.limits, limits);
    const { fanout, turn, meter } = this;
    const { maxBufferedBytes } = this.limits;
    this.slices = new Slices(turn, (end) => this.#ends.push(end), unitsAtOnce);
    this.channels = new Channels({ fanout, turn, meter, slices: this.slices, maxBufferedBytes });
    this.sessions = new Sessions(this.channels, turn, fanout, this.slices, this.limits);
    this.router = new Router(this.channels, turn, meter);
    const control = new Control({
      channels: this.channels,
      turn,
      fanout,
      slices: this.slices,
      limits: this.limits,
    });
    this.dispatch = new Dispatch(this.router, control, this.turn, this.meter, this.limits);
    const settings = { limits: { ...UNLIMITED, ...tenantLimits }, keys: new Map([['app', KEY]]) };
    this.sessions.configure(new Map(['acme', 'globex'].map((tenant) => [tenant, settings])));
    this.endTurn();
  }

  /** Ends the turn of the event loop. */
  endTurn(): void {
    for (const end of this.#ends.splice(0)) end();
  }

  /** Ends turns until no long work is under way; work that waits is asked once. */
  settle(): void {
    this.slices.tick();
    for (let turns = 0; this.#ends.length > 0; turns++) {
      if (turns > 100_000) throw new Error('it does not settle');
      this.endTurn();
    }
  }

  /** Lets time go by, between two turns. */
  wait(ms: number): void {
    this.endTurn();
    this.nowMs += ms;
  }

  connect(claims: Partial<VerifiedToken> = {}): Client {
    const connection = {};
    const session = this.sessions.open(connection, tokenWith(claims));
    if ('status' in session) throw new Error(session.code);
    return new Client(this, session);
  }
}

/** One connection: what it sends goes through Dispatch, what it reads is in `frames`. */
export class Client {
  readonly session: Session;
  readonly #world: World;
  #ref = 0;

  constructor(world: World, session: Session) {
    this.#world = world;
    this.session = session;
  }

  get frames(): Frame[] {
    return this.#world.fanout.inbox(this.session.connection);
  }

  framesOf(type: number): Frame[] {
    return this.frames.filter((frame) => frame[0] === type);
  }

  /** Sends frames as one WebSocket message, each served and answered before the next, over as many turns as that takes; returns the last outcome. */
  send(...frames: readonly (Frame | Uint8Array)[]): Outcome {
    const parts = frames.map((frame) => (frame instanceof Uint8Array ? frame : encode(frame)));
    const bytes = Uint8Array.from(Buffer.concat(parts));
    const { dispatch, fanout } = this.#world;
    let outcome: Outcome;
    let pos = 0;
    do {
      outcome = dispatch.serve(this.session, bytes, pos);
      if (outcome === LATER) this.#world.endTurn();
      else pos = dispatch.end;
      for (const reply of outcome.replies) fanout.send(this.session.connection, reply);
    } while (outcome.close === null && pos < bytes.length);
    return outcome;
  }

  /** Sends a request, without its ref, and returns the answer. */
  request(type: number, ...rest: readonly unknown[]): Frame {
    const ref = ++this.#ref;
    this.send([type, ref, ...rest]);
    const answer = this.frames.find((frame) => frame[1] === ref && [17, 18, 20, 21].includes(Number(frame[0])));
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  /** Attaches and returns the id; fails on ERROR. */
  attach(channel: string, modes: number): number {
    const answer = this.request(2, channel, modes);
    if (answer[0] !== 17) throw new Error(JSON.stringify(answer));
    return Number(answer[2]);
  }

  leave(): void {
    this.#world.fanout.drop(this.session.connection);
    this.#world.sessions.close(this.session);
  }
}

/** The frames an outcome replies with. */
export function repliesOf(outcome: Outcome): Frame[] {
  return outcome.replies.flatMap(framesIn);
}

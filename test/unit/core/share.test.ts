import { encode } from '@msgpack/msgpack';
import { describe, expect, it } from 'vitest';
import { COST, TURN_UNITS } from '../../../src/core/costs.ts';
import { LATER } from '../../../src/core/outcome.ts';
import { Share } from '../../../src/core/share.ts';
import { message } from '../../support/client.ts';
import { type Client, World } from './world.ts';

describe("a tenant's part of a turn", () => {
  it('is spent when so much work was done, and there again in the next turn', () => {
    const share = new Share();
    expect(share.isSpent(1)).toBe(false);
    share.spend(TURN_UNITS - 1);
    expect(share.isSpent(1)).toBe(false);
    share.spend(1);
    expect(share.isSpent(1)).toBe(true);
    expect(share.isSpent(2)).toBe(false);
  });

  it('overspent is sat out for as many turns as it takes, whether anything is asked in them or not', () => {
    const share = new Share();
    expect(share.isSpent(1)).toBe(false);
    share.spend(3 * TURN_UNITS);
    expect([1, 2, 3, 4].map((turn) => share.isSpent(turn))).toEqual([true, true, true, false]);
    share.spend(5 * TURN_UNITS);
    expect(share.isSpent(9)).toBe(false);
  });
});

describe('long work of a tenant that sends more than its part of every turn', () => {
  const world = new World({}, {}, 1);
  const { share } = world.connect().session.tenant;
  const pieces: number[] = [];
  function* work(name: number): Generator<number, void, void> {
    for (let i = 0; i < 5; i++) {
      pieces.push(name);
      yield 1;
    }
  }
  const floodedTurn = (): void => {
    share.spend(10 * TURN_UNITS);
    world.endTurn();
  };

  it('goes on all the same, a piece in each turn, one work after the other', () => {
    world.slices.begin(share, work(1));
    world.slices.begin(share, work(2));
    pieces.length = 0;
    for (let turn = 0; turn < 4; turn++) floodedTurn();
    expect(pieces).toEqual([1, 2, 1, 2]);
  });

  it('leaves what cannot be cut for its turn, and tells how that went', async () => {
    floodedTurn();
    share.isSpent(world.turn.id);
    const events: string[] = [];
    const failing = world.slices.inTurn(share, () => {
      events.push('done');
      throw new Error('no');
    });
    expect(events).toEqual([]);
    for (let turn = 0; turn < 20 && events.length === 0; turn++) floodedTurn();
    await expect(failing).rejects.toThrow('no');
  });
});

describe('one turn', () => {
  const bytes = (frame: readonly unknown[], count: number): Uint8Array => {
    const one = Buffer.from(encode(frame));
    return Uint8Array.from(Buffer.alloc(one.length * count, one));
  };
  /** Serves frames of one message until one must wait; returns how many were served. */
  const servedAtOnce = (world: World, client: Client, frames: Uint8Array, size: number): number => {
    let pos = 0;
    while (pos < frames.length && world.dispatch.serve(client.session, frames, pos) !== LATER) pos = world.dispatch.end;
    return pos / size;
  };

  it.each<readonly [string, readonly unknown[], number]>([
    ['PING', [6, 1], COST.frame],
    ['DETACH of nothing', [3, 1, 1], COST.frame],
    ['ATTACH of a bad name', [2, 1, '', 1], COST.attach],
  ])('serves one tenant a bounded number of frames, and others still: %s', (_name, frame, price) => {
    const world = new World();
    const [abuser, colleague] = [world.connect(), world.connect()];
    const other = world.connect({ tenant: 'globex' });
    const frames = bytes(frame, 10_000);
    const served = servedAtOnce(world, abuser, frames, frames.length / 10_000);
    expect(served).toBe(TURN_UNITS / price);
    expect(world.dispatch.serve(colleague.session, bytes([6, 1], 1), 0)).toBe(LATER);
    expect(other.request(6)).toEqual([20, 1]);
    world.endTurn();
    expect(world.dispatch.serve(colleague.session, bytes([6, 1], 1), 0)).not.toBe(LATER);
  });

  it('with a frame to many subscribers is paid for by the tenant in the turns after it', () => {
    const world = new World({}, { connections: 5000 });
    const publisher = world.connect();
    const id = publisher.attach('room', 2);
    for (let i = 0; i < TURN_UNITS; i++) world.connect().attach('room', 1);
    world.wait(1000);
    for (let i = 0; i < 20; i++) {
      world.turn.open();
      world.endTurn();
    }
    const one = Uint8Array.from(message(id, 'x'));
    world.dispatch.serve(publisher.session, one, 0);
    let turns = 0;
    while (world.dispatch.serve(publisher.session, Uint8Array.from(message(id, 'y')), 0) === LATER) {
      world.endTurn();
      turns++;
    }
    expect(turns).toBe(COST.delivery);
  });

  it('that had to put frames off sends those of one channel as one message later', () => {
    const world = new World();
    const [abuser, reader] = [world.connect(), world.connect()];
    const id = abuser.attach('room', 2);
    reader.attach('room', 1);
    world.endTurn();
    servedAtOnce(world, abuser, bytes([6, 1], 5000), 3);
    const before = world.fanout.published.length;
    abuser.send(message(id, 'a'), message(id, 'b'), message(id, 'c'));
    world.endTurn();
    expect(world.fanout.published.length - before).toBe(1);
    expect(reader.framesOf(4)).toHaveLength(3);
  });
});

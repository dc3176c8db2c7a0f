import { beforeEach, describe, expect, it } from 'vitest';
import { message } from '../../support/client.ts';
import { World } from './world.ts';

const [R, W, P, ECHO] = [1, 2, 4, 8] as const;
const IDLE_MS = 60_000;
let world: World;
beforeEach(() => {
  world = new World();
});

describe('a channel', () => {
  it('lives as long as a connection is attached to it by name', () => {
    const [ann, bob] = [world.connect(), world.connect()];
    const id = ann.attach('room', R);
    expect(bob.attach('room', W)).toBe(id);
    ann.leave();
    expect(world.connect().attach('room', R)).toBe(id);
  });

  it('comes back under another id and counts from 0 after the last one left', () => {
    const ann = world.connect();
    const id = ann.attach('room', R | W);
    ann.send(message(id, 'one'));
    ann.request(3, id);
    const [, , again, , seq] = ann.request(2, 'room', R);
    expect([again === id, seq]).toEqual([false, 0]);
    expect(world.meter).toMatchObject({ channels: 1, attachments: 1 });
  });

  it('counts every connection once in its occupancy, by name or through patterns', () => {
    const [ann, bob, eve] = [world.connect(), world.connect(), world.connect()];
    bob.attach('ro.>', R);
    bob.attach('ro.*', R);
    expect(ann.request(2, 'ro.om', R)[5]).toBe(2);
    bob.attach('ro.om', W);
    expect(eve.request(2, 'ro.om', W)[5]).toBe(3);
    bob.leave();
    expect(world.connect().request(2, 'ro.om', R)[5]).toBe(3);
  });

  it('of one tenant is not the channel of that name of another', () => {
    const [ann, eve] = [world.connect(), world.connect({ tenant: 'globex' })];
    expect(ann.attach('room', R | W)).not.toBe(eve.attach('room', R));
    expect(eve.frames.find(([type]) => type === 17)?.[5]).toBe(1);
  });

  it('has an id that no other channel or pattern has', () => {
    const ann = new World({ maxAttachments: 1000 }).connect();
    const ids = Array.from({ length: 500 }, (_, i) => [ann.attach(`room.${i}`, R), ann.attach(`p${i}.*`, R)]).flat();
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(Number.isInteger(id) && id >= 1 && id < 2 ** 31).toBe(true);
  });

  it('tells those who asked for presence who left, and the new occupancy', () => {
    const [ann, bob, eve] = [world.connect(), world.connect(), world.connect()];
    const id = ann.attach('room', R | P);
    bob.attach('room', W);
    eve.attach('room', R);
    bob.send(message(id, 'bye'));
    bob.leave();
    world.channels.presence.announce();
    world.endTurn();
    expect(ann.frames.slice(1).map(([type]) => type)).toEqual([4, 23, 24]);
    expect(ann.framesOf(23)).toEqual([[23, id, bob.session.sender]]);
    expect(ann.framesOf(24)).toEqual([[24, id, 2]]);
    expect([...eve.framesOf(23), ...eve.framesOf(24)]).toEqual([]);
  });

  it('gets the frames of a sender that went away in the same turn', () => {
    const [ann, bob] = [world.connect(), world.connect()];
    const id = ann.attach('room', R | W);
    bob.attach('room', R);
    for (let i = 0; i < 2; i++) {
      ann.send(message(id, 'one'), message(id, 'two'));
      if (i === 1) ann.leave();
      world.endTurn();
    }
    expect(bob.framesOf(4).map(([, , seq]) => seq)).toEqual([1, 2, 3, 4]);
  });

  it('is forgotten with everything that belonged to it when a connection goes away', () => {
    const ann = world.connect();
    for (const [name, modes] of [
      ['a', R],
      ['b', R | W | P | ECHO],
      ['c.d', W],
    ] as const)
      ann.attach(name, modes);
    ann.attach('c.*', R);
    ann.attach('>', R);
    ann.leave();
    world.endTurn();
    expect(world.meter).toMatchObject({ channels: 0, attachments: 0 });
    expect([...world.fanout.topicsOf(ann.session.connection)]).toEqual([]);
    expect(ann.session.tenant.channels.size + ann.session.tenant.patterns.size).toBe(0);
  });
});

describe('a pattern', () => {
  it('announces each channel once, live ones and later ones, however many patterns reach it', () => {
    const [ann, watcher] = [world.connect(), world.connect()];
    const live = ann.attach('room.a', W);
    ann.send(message(live, 'missed'));
    watcher.attach('room.*', R);
    watcher.attach('room.>', R);
    const later = ann.attach('room.b', W);
    ann.attach('other', W);
    expect(watcher.framesOf(27)).toEqual([
      [27, live, 'room.a', 1],
      [27, later, 'room.b', 0],
    ]);
  });

  it('gives one copy of a frame, however many attachments cover it', () => {
    const [ann, watcher] = [world.connect(), world.connect()];
    for (const pattern of ['room.*', 'room.>', '>']) watcher.attach(pattern, R);
    const id = ann.attach('room.a', W);
    watcher.attach('room.a', R);
    for (let i = 0; i < 3; i++) ann.send(message(id, 'x'), message(id, 'y'));
    world.endTurn();
    expect(watcher.framesOf(4).map(([, , seq]) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('reaches a channel until the last pattern that covers it is detached', () => {
    const [ann, watcher] = [world.connect(), world.connect()];
    const id = ann.attach('room.a', W);
    const [wide, narrow] = [watcher.attach('room.>', R), watcher.attach('room.*', R)];
    watcher.request(3, wide);
    ann.send(message(id, 'one'));
    watcher.request(3, narrow);
    ann.send(message(id, 'two'));
    world.endTurn();
    expect(watcher.framesOf(4).map(([, , seq]) => seq)).toEqual([1]);
    expect(ann.session.attachments.get(id)?.channel.occupancy).toBe(1);
  });

  it('keeps reaching a channel that was detached by name', () => {
    const [ann, watcher] = [world.connect(), world.connect()];
    watcher.attach('room.>', R);
    const id = ann.attach('room.a', W);
    watcher.attach('room.a', R);
    watcher.request(3, id);
    ann.send(message(id, 'one'));
    world.endTurn();
    expect(watcher.framesOf(4)).toHaveLength(1);
  });
});

describe('a channel that only patterns reach', () => {
  it('ends after a minute without frames, and says so to each of them', () => {
    const [ann, watcher] = [world.connect(), world.connect()];
    watcher.attach('room.>', R);
    const id = ann.attach('room.a', W);
    ann.leave();
    world.nowMs += IDLE_MS - 1;
    world.channels.reap(world.nowMs, IDLE_MS);
    expect(watcher.framesOf(18)).toEqual([]);
    world.channels.reap(world.nowMs + 1, IDLE_MS);
    expect(watcher.framesOf(18)).toEqual([[18, null, id, 200, 'channel_ended']]);
    const again = world.connect().attach('room.a', W);
    expect(again).not.toBe(id);
    expect(watcher.framesOf(27).at(-1)).toEqual([27, again, 'room.a', 0]);
  });

  it('lives on while frames come over HTTP, or once it is attached by name again', () => {
    const [ann, watcher] = [world.connect(), world.connect()];
    watcher.attach('room.>', R);
    const id = ann.attach('room.a', W);
    ann.leave();
    for (let i = 1; i <= 3; i++) {
      world.wait(IDLE_MS / 2);
      world.turn.open();
      const published = world.router.publish(
        { tenant: watcher.session.tenant, sub: 'server' },
        'room.a',
        ['room', 'a'],
        {
          envelope: null,
          body: Buffer.from('x'),
        },
      );
      expect(published).toEqual({ seq: i, subscribers: 1 });
      world.channels.reap(world.nowMs, IDLE_MS);
    }
    expect(world.connect().attach('room.a', W)).toBe(id);
    world.channels.reap(world.nowMs + 10 * IDLE_MS, IDLE_MS);
    expect(watcher.framesOf(18)).toEqual([]);
  });

  it('ends a minute after its last frame, though a connection with another pattern left in between', () => {
    const [ann, watcher, guest] = [world.connect(), world.connect(), world.connect()];
    for (const each of [watcher, guest]) each.attach('room.>', R);
    const id = ann.attach('room.a', W);
    ann.leave();
    world.wait(IDLE_MS / 2);
    guest.leave();
    world.wait(IDLE_MS / 2);
    world.channels.reap(world.nowMs, IDLE_MS);
    expect(watcher.framesOf(18)).toEqual([[18, null, id, 200, 'channel_ended']]);
  });
});

describe('the limit on channels of one user', () => {
  it('holds when the last orphan of a user has to end for another one of theirs', () => {
    const limited = new World({}, { channels: 3, channelsPerUser: 1 });
    const reader = limited.connect({ sub: 'reader' });
    reader.attach('>', R);
    const { tenant } = reader.session;
    const live = (): string[] => [...tenant.channels.keys()];
    const publish = (name: string): unknown => {
      limited.turn.open();
      const message = { envelope: null, body: Buffer.from('x') };
      return limited.router.publish({ tenant, sub: 'server' }, name, [name], message);
    };
    for (const name of ['a', 'b', 'c']) {
      publish(name);
      limited.settle();
      expect(live()).toEqual([name]);
    }
    expect(tenant.user('server').channelCount).toBe(1);
  });
});

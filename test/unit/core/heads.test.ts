import { describe, expect, it } from 'vitest';
import { message } from '../../support/client.ts';
import { type Client, repliesOf, World } from './world.ts';

const [R, W, P, ECHO] = [1, 2, 4, 8] as const;

/** What a connection is told once it has room again. */
const headsOf = (world: World, client: Client) => repliesOf(world.sessions.headsFor(client.session));

describe('HEAD', () => {
  it('tells, for each channel the connection receives, its number and the own frames since the base', () => {
    const world = new World();
    const [ann, bob] = [world.connect(), world.connect()];
    const [room, news] = [bob.attach('room', W), bob.attach('news.a', W)];
    bob.send(message(room, '1'), message(room, '2'));
    ann.attach('room', R | W | ECHO);
    ann.attach('news.*', R);
    ann.attach('quiet', W);
    ann.session.isLossy = true;
    ann.send(message(room, '3'), message(room, '4'));
    bob.send(message(room, '5'), message(news, '1'));
    expect(headsOf(world, ann)).toEqual([
      [22, room, 5, 2],
      [22, news, 1, 0],
    ]);
    expect(ann.session.isLossy).toBe(false);
  });

  it('comes behind every frame that its number counts', () => {
    const world = new World();
    const [ann, bob] = [world.connect(), world.connect()];
    const id = bob.attach('room', W);
    ann.attach('room', R);
    bob.send(message(id, '1'), message(id, '2'), message(id, '3'));
    expect(headsOf(world, ann)).toEqual([[22, id, 3, 0]]);
    expect(ann.framesOf(4).map(([, , seq]) => seq)).toEqual([1, 2, 3]);
  });

  it('comes with the occupancy where presence was asked for, as notices may have been skipped', () => {
    const world = new World();
    const [ann, bob] = [world.connect(), world.connect()];
    const id = ann.attach('room', R | P);
    bob.attach('room', W);
    const silent = ann.attach('silent', P);
    expect(headsOf(world, ann)).toEqual([
      [22, id, 0, 0],
      [24, id, 2],
      [24, silent, 1],
    ]);
  });

  it('comes ahead of ATTACHED when a connection that lost frames attaches by name what a pattern reached', () => {
    const world = new World();
    const [ann, bob] = [world.connect(), world.connect()];
    const id = bob.attach('room', W);
    ann.attach('*', R);
    bob.send(message(id, '1'));
    ann.session.isLossy = true;
    ann.attach('room', R);
    expect(ann.frames.filter(([type]) => type === 22 || type === 17).slice(1)).toEqual([
      [22, id, 1, 0],
      [17, 2, id, R, 1, 2],
    ]);
  });

  it('counts own frames from the latest ATTACHED', () => {
    const world = new World();
    const [ann, bob] = [world.connect(), world.connect()];
    bob.attach('room', R);
    const id = ann.attach('room', R | W);
    ann.send(message(id, '1'));
    ann.request(3, id);
    ann.attach('room', R | W);
    ann.send(message(id, '2'));
    expect(headsOf(world, ann)).toEqual([[22, id, 2, 1]]);
  });
});

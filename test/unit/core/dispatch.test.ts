import { beforeEach, describe, expect, it } from 'vitest';
import { message } from '../../support/client.ts';
import { grants, World } from './world.ts';

const [R, W, P, ECHO] = [1, 2, 4, 8] as const;
let world: World;
beforeEach(() => {
  world = new World();
});

describe('ATTACH', () => {
  it.each([0, 8, 9, 10, 12, 13, 14, 16, 17, 31, 2 ** 32 + 1])('with modes %d is refused as bad_modes', (modes) => {
    expect(world.connect().request(2, 'room', modes).slice(2, 4)).toEqual([400, 'bad_modes']);
  });

  it.each([1, 2, 3, 4, 5, 6, 7, 11, 15])('with modes %d is taken', (modes) => {
    expect(world.connect().request(2, 'room', modes).slice(3)).toEqual([modes, 0, 1]);
  });

  it.each([2, 3, 4, 5, 7, 11, 15])('of a pattern with modes %d is refused as bad_modes', (modes) => {
    expect(world.connect().request(2, 'room.*', modes).slice(2, 4)).toEqual([400, 'bad_modes']);
  });

  it.each(['$audit', '', 'a..b', 'a b', 'a*', '>.a', '$x.*', 'caf\u00e9'])(
    'of %j is refused as bad_channel',
    (text) => {
      expect(world.connect().request(2, text, R).slice(2, 4)).toEqual([400, 'bad_channel']);
    },
  );

  it('attaches nothing when one of the modes is not granted', () => {
    const ann = world.connect({ can: grants({ room: 'r' }) });
    expect(ann.request(2, 'room', R | W).slice(2, 4)).toEqual([403, 'forbidden']);
    expect(world.meter).toMatchObject({ channels: 0, attachments: 0 });
    expect(ann.request(2, 'room', R)[0]).toBe(17);
  });

  it('again while attached is refused, and over maxAttachments too', () => {
    const ann = new World({ maxAttachments: 2 }).connect();
    ann.attach('room', R);
    expect(ann.request(2, 'room', R).slice(2, 4)).toEqual([409, 'already_attached']);
    ann.attach('room.*', R);
    expect(ann.request(2, 'room.*', R).slice(2, 4)).toEqual([409, 'already_attached']);
    expect(ann.request(2, 'other', R).slice(2, 4)).toEqual([429, 'too_many_attachments']);
  });

  it("over the tenant's channels is refused, until one has ended", () => {
    const small = new World({}, { channels: 1 });
    const ann = small.connect();
    ann.attach('a', R);
    expect(ann.request(2, 'b', R).slice(2, 4)).toEqual([429, 'too_many_channels']);
    expect(small.connect().request(2, 'a', R)[0]).toBe(17);
    expect(small.connect({ tenant: 'globex' }).request(2, 'b', R)[0]).toBe(17);
  });
});

describe('MESSAGE', () => {
  it('is numbered and stamped, and goes to the subscribers only', () => {
    const [ann, bob, eve] = [world.connect(), world.connect(), world.connect()];
    const id = ann.attach('room', W);
    bob.attach('room', R);
    eve.attach('room', P);
    ann.send(message(id, 'one', Buffer.from('env')), message(id, 'two'));
    world.endTurn();
    expect(bob.framesOf(4)).toEqual([
      [4, id, 1, ann.session.sender, new TextEncoder().encode('env'), new TextEncoder().encode('one')],
      [4, id, 2, ann.session.sender, null, new TextEncoder().encode('two')],
    ]);
    expect([...ann.framesOf(4), ...eve.framesOf(4)]).toEqual([]);
  });

  it('comes back to a sender with echo, every one', () => {
    const [ann, bob] = [world.connect(), world.connect()];
    const id = ann.attach('room', R | W | ECHO);
    bob.attach('room', R | W);
    for (let i = 0; i < 3; i++) {
      ann.send(message(id, 'a'), message(id, 'b'));
      bob.send(message(id, 'c'));
      world.endTurn();
    }
    expect(ann.framesOf(4).map(([, , seq]) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it.each([
    ['to a channel that is not attached', 404, 'not_attached', () => 5],
    ['to an id over 31 bits', 404, 'not_attached', () => 0xffff_ffff],
    ['without publish', 403, 'forbidden', (id: number) => id],
  ])('%s is refused, and takes no number', (_, status, code, idOf) => {
    const [ann, bob] = [world.connect(), world.connect()];
    const id = ann.attach('room', R);
    bob.attach('room', W);
    ann.send(message(idOf(id), 'x'));
    expect(ann.framesOf(21).map((frame) => [...frame.slice(1, 4), frame[5]])).toEqual([[null, status, code, idOf(id)]]);
    bob.send(message(id, 'y'));
    world.endTurn();
    expect(ann.framesOf(4).map(([, , seq]) => seq)).toEqual([1]);
  });

  it('through a pattern alone is refused as not attached', () => {
    const [ann, bob] = [world.connect(), world.connect()];
    const id = ann.attach('room.a', W);
    bob.attach('room.*', R);
    bob.send(message(id, 'x'));
    expect(bob.framesOf(21)[0]?.slice(2, 4)).toEqual([404, 'not_attached']);
  });

  it('over maxFrameBytes is refused alone, and one of that size is not', () => {
    const ann = new World({ maxFrameBytes: 256 }).connect();
    const id = ann.attach('room', R | W | ECHO);
    ann.send(message(id, 'x'.repeat(232)), message(id, 'x'.repeat(233)), message(id, 'after'));
    ann.send([6, 99]);
    expect(ann.framesOf(21).map(([, , status, code, , channelId]) => [status, code, channelId])).toEqual([
      [413, 'frame_too_large', id],
    ]);
    expect(ann.framesOf(4).map(([, , seq]) => seq)).toEqual([1, 2]);
  });

  it("over the tenant's frames per second is refused, whichever connection sends it", () => {
    const small = new World({}, { framesPerSecond: 2 });
    const [ann, bob] = [small.connect(), small.connect()];
    const id = ann.attach('room', W);
    bob.attach('room', W);
    ann.send(...Array(3).fill(message(id, 'x')));
    bob.send(...Array(3).fill(message(id, 'x')));
    expect(ann.framesOf(21)).toEqual([]);
    expect(bob.framesOf(21).map((frame) => frame[3])).toEqual(['tenant_too_fast', 'tenant_too_fast']);
  });

  it("over the tenant's deliveries per second is refused for all of the tenant until they are paid for, and for no other", () => {
    const small = new World({}, { deliveriesPerSecond: 50 });
    const [ann, bob] = [small.connect(), small.connect()];
    const id = ann.attach('room', W);
    bob.attach('room', W);
    for (let i = 0; i < 40; i++) small.connect().attach('room', R);
    const other = small.connect({ tenant: 'globex' });
    const otherId = other.attach('room', R | W | ECHO);
    for (let i = 0; i < 4; i++) {
      ann.send(message(id, 'x'));
      small.endTurn();
    }
    expect(ann.framesOf(21).map((frame) => frame[3])).toEqual(['tenant_too_fast']);
    bob.send(message(id, 'x'));
    expect(bob.framesOf(21)[0]?.[3]).toBe('tenant_too_fast');
    other.send(message(otherId, 'x'));
    small.wait(400);
    bob.send(message(id, 'later'));
    small.wait(0);
    expect([bob.framesOf(21).length, other.framesOf(4).length]).toEqual([1, 1]);
  });

  it('is taken again soon after a flood of the tenant has ended, for the burst is two seconds', () => {
    const small = new World({}, { framesPerSecond: 10 });
    const ann = small.connect();
    const id = ann.attach('room', W);
    ann.send(...Array(1000).fill(message(id, 'x')));
    small.wait(5000);
    const refused = ann.framesOf(21).length;
    ann.send(message(id, 'x'));
    expect(ann.framesOf(21).length).toBe(refused);
  });
});

describe('a message of frames', () => {
  it('takes effect up to the first frame that cannot be read, and then closes', () => {
    const [ann, bob] = [world.connect(), world.connect()];
    const id = ann.attach('room', W);
    bob.attach('room', R);
    const outcome = ann.send(message(id, 'one'), [6, 7], Buffer.from('c1', 'hex'), message(id, 'two'));
    world.endTurn();
    expect(outcome.close?.code).toBe(4500);
    expect(ann.frames.slice(1).map((frame) => frame.slice(0, 4))).toEqual([
      [20, 7],
      [21, null, 400, 'protocol_error'],
    ]);
    expect(bob.framesOf(4)).toHaveLength(1);
  });

  it.each([
    ['nothing', ''],
    ['a second HELLO', '930101a161'],
    ['a ref over 2^32-1', '9206cf0000000100000000'],
    ['an unknown type', '920701'],
  ])('of %s is a protocol error', (_, hex) => {
    const ann = world.connect();
    expect(ann.send(Buffer.from(hex, 'hex')).close?.code).toBe(4500);
    expect(ann.framesOf(21).map((frame) => frame[3])).toEqual(['protocol_error']);
  });

  it('is answered by PONG behind everything that the frames before it brought', () => {
    const ann = world.connect();
    const id = ann.attach('room', R | W | ECHO);
    ann.send(message(id, 'a'), message(id, 'b'), [3, 50, 99], [6, 51]);
    const types = ann.frames.slice(1).map(([type]) => type);
    expect([types.at(-1), types.toSorted()]).toEqual([20, [20, 21, 4, 4]]);
  });

  it('is answered frame by frame: what a frame brings comes behind the answer to the one before it', () => {
    const [ann, bob] = [world.connect(), world.connect()];
    bob.attach('room', R);
    const id = ann.attach('room', R);
    ann.request(3, id);
    ann.send([2, 50, 'room', R | W | ECHO], message(id, 'a'), [6, 51], message(id, 'b'));
    world.endTurn();
    expect(ann.frames.slice(2).map(([type]) => type)).toEqual([17, 4, 20, 4]);
  });

  it('is refused frame by frame over the rate of the connection, and closed at a debt of another burst', () => {
    const ann = new World({ framesPerSecond: 5 }).connect();
    const outcomes = Array.from({ length: 21 }, (_, i) => ann.send([6, i]));
    expect(outcomes.map(({ close }) => close?.code ?? 0)).toEqual([...Array(20).fill(0), 4003]);
    expect(ann.framesOf(20).map(([, ref]) => ref)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(ann.framesOf(21).every(([, , status, code]) => status === 429 && code === 'too_fast')).toBe(true);
  });
});

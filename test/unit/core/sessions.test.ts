import { describe, expect, it } from 'vitest';
import { TURN_UNITS } from '../../../src/core/costs.ts';
import type { Session } from '../../../src/core/session.ts';
import type { Tenant } from '../../../src/core/tenant.ts';
import { message } from '../../support/client.ts';
import { type Client, grants, KEY, repliesOf, START_MS, tokenWith, World } from './world.ts';

const fail = (): never => {
  throw new Error('nobody is to be closed');
};

describe('a renewal', () => {
  it('puts the new grants in force, ends what they do not cover, and leaves the rest without a gap', async () => {
    const world = new World();
    const [ann, bob] = [world.connect(), world.connect()];
    const [kept, lost, part] = [ann.attach('kept', 3), ann.attach('lost', 1), ann.attach('part', 3)];
    const pattern = ann.attach('news.*', 1);
    for (const name of ['kept', 'lost', 'part']) bob.attach(name, 2);
    bob.send(message(kept, '1'), message(lost, '1'));
    const outcome = await world.sessions.renew(ann.session, 9, tokenWith({ can: grants({ kept: 'rw', part: 'r' }) }));
    const [renewed, ...detached] = repliesOf(outcome);
    expect(renewed).toEqual([19, 9, START_MS / 1000 + 3600]);
    expect(new Set(detached.map((frame) => JSON.stringify(frame)))).toEqual(
      new Set([lost, part, pattern].map((id) => JSON.stringify([18, null, id, 403, 'forbidden']))),
    );
    bob.send(message(kept, '2'), message(lost, '2'));
    world.endTurn();
    expect(ann.framesOf(4).map(([, id, seq]) => [id, seq])).toEqual([
      [kept, 1],
      [lost, 1],
      [kept, 2],
    ]);
    expect(ann.request(2, 'lost', 1)[3]).toBe('forbidden');
  });

  it.each([
    ['another user', { sub: 'bob' }, 'renew_mismatch'],
    ['another tenant', { tenant: 'globex' }, 'renew_mismatch'],
    ['a key that is not in use', { keyThumbprint: 'old' }, 'token_invalid'],
  ])('with a token of %s leaves the old one in force', async (_, claims, code) => {
    const world = new World();
    const ann = world.connect();
    const before = ann.session.token;
    const outcome = await world.sessions.renew(ann.session, 9, tokenWith({ ...claims, can: [] }));
    expect(repliesOf(outcome)[0]?.slice(0, 4)).toEqual([21, 9, 403, code]);
    expect(ann.session.token).toBe(before);
    expect(ann.request(2, 'room', 3)[0]).toBe(17);
  });

  it('is answered with an expiry in whole seconds, though the token may have a fraction (RFC 7519, NumericDate)', async () => {
    const world = new World();
    const outcome = await world.sessions.renew(
      world.connect().session,
      9,
      tokenWith({ expiresAtMs: START_MS + 60_500 }),
    );
    expect(repliesOf(outcome)).toEqual([[19, 9, START_MS / 1000 + 60]]);
    expect(Buffer.from(outcome.replies[0] ?? []).toString('hex')).toMatch(/^931309ce/);
  });

  it('is refused while another is being checked, and taken after it', async () => {
    const world = new World();
    const ann = world.connect();
    expect(ann.send([5, 1, 'token']).renew).toEqual({ ref: 1, token: 'token' });
    expect(ann.send([5, 2, 'token']).renew).toBeNull();
    expect(ann.framesOf(21)[0]?.slice(1, 4)).toEqual([2, 409, 'renew_in_progress']);
    await world.sessions.renew(ann.session, 1, tokenWith());
    expect(ann.send([5, 3, 'token']).renew).toEqual({ ref: 3, token: 'token' });
  });
});

describe('a revocation', () => {
  const untilMs = START_MS + 10_000;
  it('closes the live sessions it covers, and no other', async () => {
    const world = new World();
    const [phone, laptop] = [world.connect({ dev: 'phone' }), world.connect({ dev: 'laptop' })];
    const stranger = world.connect({ tenant: 'globex', dev: 'phone' });
    const target = { sub: 'alice', dev: 'phone' };
    const closed: Session[] = [];
    const revocation = { target, beforeMs: START_MS + 1, untilMs };
    const withdrawal = await world.sessions.revoke(phone.session.tenant, revocation, (each) => closed.push(each));
    expect([withdrawal, closed]).toEqual([{ closed: 1, detached: 0 }, [phone.session]]);
    expect([laptop, stranger].every((client) => client.request(6)[0] === 20)).toBe(true);
    expect(world.sessions.admit(tokenWith({ dev: 'phone' }))).toMatchObject({ code: 'token_revoked' });
    expect(world.sessions.admit(tokenWith({ dev: 'phone', issuedAtMs: START_MS + 1 }))).toHaveProperty('rules');
  });

  it('of a channel detaches from it alone', async () => {
    const world = new World();
    const ann = world.connect();
    const [id, other] = [ann.attach('room.a', 3), ann.attach('other', 3)];
    const revocation = { target: { channel: ['room', '*'] }, beforeMs: START_MS + 1, untilMs };
    const withdrawal = await world.sessions.revoke(ann.session.tenant, revocation, fail);
    expect(withdrawal).toEqual({ closed: 0, detached: 1 });
    expect(ann.framesOf(18)).toEqual([[18, null, id, 403, 'forbidden']]);
    expect([...ann.session.attachments.keys()]).toEqual([other]);
    expect(ann.request(2, 'room.a', 1)[3]).toBe('forbidden');
  });

  it.each([
    ['a channel', { channel: ['room', '7'] }, 0, 1],
    ['a pattern', { channel: ['room', '*'] }, 0, 40],
    ['a user', { sub: 'u7' }, 1, 0],
    ['a key', { kid: 'app' }, 40, 0],
  ])(
    'of %s is in force at once, carried out over many turns, and answered when all of it is done',
    async (_, target, closed, detached) => {
      const world = new World({}, {}, 1);
      const members = Array.from({ length: 40 }, (_, i) => world.connect({ sub: `u${i}` }));
      for (const [i, member] of members.entries()) member.attach(`room.${i}`, 1);
      const other = world.connect({ tenant: 'globex' });
      other.attach('room.7', 1);
      world.settle();
      let isDone = false;
      const revoking = world.sessions
        .revoke(members[0]?.session.tenant as Tenant, { target, beforeMs: START_MS + 1, untilMs }, (session) => {
          members.find((each) => each.session === session)?.leave();
        })
        .finally(() => {
          isDone = true;
        });
      await Promise.resolve();
      expect(world.sessions.admit(tokenWith({ sub: 'u7' }))).toMatchObject(
        'channel' in target ? {} : { code: 'token_revoked' },
      );
      for (let turns = 0; !isDone && turns < 1000; turns++) {
        world.endTurn();
        for (let i = 0; i < 5; i++) await Promise.resolve();
      }
      expect(await revoking).toEqual({ closed, detached });
      const left = members.filter(({ session }) => !session.isClosed && session.attachmentCount > 0);
      expect(left).toHaveLength(40 - closed - detached);
      expect(other.session.attachmentCount).toBe(1);
    },
  );

  it('does not wait behind what the users of its tenant send, however much that is', async () => {
    const world = new World({}, {}, 1);
    const members = Array.from({ length: 40 }, () => world.connect());
    const { tenant } = (members[0] as Client).session;
    let isDone = false;
    const revoking = world.sessions
      .revoke(tenant, { target: { sub: 'alice' }, beforeMs: START_MS + 1, untilMs }, () => {})
      .finally(() => {
        isDone = true;
      });
    let turns = 0;
    for (; !isDone && turns < 1000; turns++) {
      tenant.share.spend(10 * TURN_UNITS); // a flood
      world.endTurn();
      for (let i = 0; i < 5; i++) await Promise.resolve();
    }
    expect([turns < 1000, await revoking]).toEqual([true, { closed: 40, detached: 0 }]);
  });

  it('outlives a tenant that is taken out of the configuration and comes back', async () => {
    const world = new World();
    const { tenant } = world.connect().session;
    const settings = { limits: tenant.limits, keys: new Map([['app', KEY]]) };
    await world.sessions.revoke(tenant, { target: { sub: 'alice' }, beforeMs: START_MS + 1, untilMs }, () => {});
    world.sessions.configure(new Map());
    expect(world.sessions.admit(tokenWith())).toMatchObject({ code: 'token_invalid' });
    world.sessions.configure(new Map([['acme', settings]]));
    expect(world.sessions.admit(tokenWith())).toMatchObject({ code: 'token_revoked' });
    expect(world.sessions.admit(tokenWith({ issuedAtMs: START_MS + 1 }))).toHaveProperty('rules');
  });
});

describe('a session', () => {
  it("over the tenant's connections is refused, and has room when one is closed", () => {
    const world = new World({}, { connections: 1 });
    const ann = world.connect();
    expect(() => world.connect()).toThrow('too_many_connections');
    world.connect({ tenant: 'globex' });
    ann.leave();
    world.connect();
  });

  it('of a tenant or key that is not configured is refused without saying which', () => {
    const { sessions } = new World();
    for (const claims of [{ tenant: 'nobody' }, { kid: 'none' }, { keyThumbprint: 'other' }])
      expect(sessions.admit(tokenWith(claims))).toMatchObject({ status: 403, code: 'token_invalid' });
  });
});

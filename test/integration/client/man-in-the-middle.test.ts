import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { blindName, ChannelKey, connect, type Relay } from '../../../src/client/node.ts';
import { message } from '../../support/client.ts';
import { ScriptedRelay, welcome } from '../../support/scripted-relay.ts';
import { type Carried, flipped, listenTo, ManInTheMiddle, same, until } from './support.ts';

/** Bytes of header in a frame of generation 0 whose CTR is from 8 to 255: config, KID, CTR. */
const [KID_END, HEADER_END] = [8, 9];
const TAG_BYTES = 16;

describe('whoever stands in the place of the relay', () => {
  const blindKey = new Uint8Array(randomBytes(32));
  const key = ChannelKey.random();
  let middle: ManInTheMiddle;
  beforeEach(async () => {
    middle = await ManInTheMiddle.start();
  });
  afterEach(() => middle.stop());

  const blind = (name: string): Promise<string> => blindName(blindKey, name);
  const join = async (sub: string) => middle.join(sub, { [await blind('payroll.*')]: 'rwp' });

  /** Alice writes, Bob reads. Numbers 1 to 9 (CTR 0 to 8) came through; from then on frames for Bob wait in `tap`. */
  async function setUp(keyOfBob = key) {
    const [[alice, tapOfAlice], [bob, tap]] = [await join('alice'), await join('bob')];
    const room = await blind('payroll.merger');
    const [writing, reading] = [await alice.channel(room, { key }), await bob.channel(room, { key: keyOfBob })];
    const [toAlice, first] = [listenTo(writing), listenTo(reading)];
    tap.isHolding = true;
    for (let i = 0; i < 9; i++) await writing.publish('first');
    const passed = await tap.take(9);
    tap.inject(...passed);
    await until(() => first.texts.length + first.refused.length).toBe(9);
    const catchNext = async (text: string, envelope?: Uint8Array): Promise<Carried> => {
      await writing.publish(text, envelope === undefined ? {} : { envelope });
      return (await tap.take(1))[0] as Carried;
    };
    return { alice, bob, tap, tapOfAlice, toAlice, writing, heard: listenTo(reading), first, passed, catchNext };
  }

  /** Hands Bob forged frames and only then the true one, and the next. Gives the reasons of refusal; fails unless he hears those two alone. */
  async function forge(forgeries: (honest: Carried) => Partial<Carried>[], envelope?: Uint8Array): Promise<string[]> {
    const { tap, heard, catchNext } = await setUp();
    const honest = await catchNext('pay the invoice', envelope);
    const frames = [...forgeries(honest), {}].map((change, i) => ({ ...honest, ...change, seq: honest.seq + i }));
    tap.inject(...frames);
    const next = await catchNext('and the next');
    tap.inject({ ...next, seq: honest.seq + frames.length });
    await until(() => heard.texts).toContain('and the next');
    expect(heard.texts).toEqual(['pay the invoice', 'and the next']);
    return heard.refused;
  }

  it('finds no text, no channel name and no key in anything it records; users, envelopes and plaintext it does', async () => {
    const [[alice], [bob]] = [await join('alice-liddell'), await join('bob')];
    const secrets = ['launch at the break of dawn', 'we merge with Umbrella', 'understood: by noon'];
    const name = 'payroll.merger-with-umbrella';
    const room = await blind(name);
    const [hers, his] = [await alice.channel(room, { key }), await bob.channel(room, { key })];
    const [toHer, toHim] = [listenTo(hers), listenTo(his)];
    for (const text of secrets.slice(0, 2)) await hers.publish(text, { envelope: Buffer.from('to-the-archive') });
    await his.publish(secrets[2] as string);
    await until(() => [...toHim.texts, ...toHer.texts]).toEqual(secrets);
    const [present, watching] = [
      await alice.channel(await blind('payroll.board'), { key, presence: true }),
      await bob.channel(await blind('payroll.board'), { key, presence: true }),
    ];
    await present.presence.enter('Alice Liddell, at the board meeting');
    await until(() => watching.presence.members.map(({ text }) => text)).toEqual([
      'Alice Liddell, at the board meeting',
    ]);
    const inClear = await alice.channel(await blind('payroll.canteen'), { plaintext: true, modes: 'w' });
    await inClear.publish('soup of the day');
    await alice.flush();
    const hidden = [...secrets, name, ...name.split('.'), 'Alice Liddell', 'board meeting', key.toBytes(), blindKey];
    expect(hidden.flatMap((secret) => middle.findings(secret))).toEqual([]);
    expect(middle.findings('alice-liddell')).toContain('base64url');
    for (const text of ['to-the-archive', 'soup of the day']) expect(middle.findings(text)).toContain('plain');
  });

  it('cannot change one bit of a frame, in header, KID, CTR, ciphertext or tag, without a refusal that says so', async () => {
    const config = ['not_authentic', 'not_authentic', 'malformed', 'replayed', 'unknown_generation|malformed'];
    const ctr = ['replayed', 'not_authentic', 'not_authentic', 'malformed', ...same('not_authentic', 4)];
    const special = [[...config, ...same('not_encrypted', 3)], same('not_authentic|malformed', 8)];
    special[KID_END] = ctr;
    let expected: unknown[] = [];
    const refused = await forge(({ body }) => {
      expected = [...body.keys()]
        .flatMap((at) => special[at] ?? same('not_authentic', 8))
        .map((reason) => expect.stringMatching(`^(${reason})$`));
      expect(body.length).toBeGreaterThan(HEADER_END + TAG_BYTES + 'pay the invoice'.length);
      return expected.map((_, bit) => ({ body: flipped(body, bit) }));
    });
    expect(refused).toEqual(expected);
  });

  it('cannot cut a frame anywhere, nor append to it, without a refusal', async () => {
    const junk = [[0], [0x80], [0x80, ...same(0, 15)], same(0, TAG_BYTES), same(0xff, 300)];
    let whole = 0;
    const refused = await forge(({ body }) => {
      whole = body.length;
      const cuts = Array.from(body, (_, end) => ({ body: body.subarray(0, end) }));
      return [...cuts, ...junk.map((more) => ({ body: Buffer.concat([body, Buffer.from(more)]) }))];
    });
    const least = HEADER_END + 2 + TAG_BYTES;
    const notAuthentic = same('not_authentic', whole - least + junk.length);
    expect(refused).toEqual(['not_encrypted', ...same('malformed', least - 1), ...notAuthentic]);
  });

  it('cannot deliver a frame twice, not under a new number, not later, not over a new connection', async () => {
    const { bob, tap, heard, passed, catchNext } = await setUp();
    const honest = await catchNext('pay once');
    tap.inject(honest, honest, { ...honest, seq: 11 }, ...passed.map((frame, i) => ({ ...frame, seq: 12 + i })));
    await until(() => heard.refused).toEqual(same('replayed', 10));
    await tap.cut(bob);
    middle.latest.inject({ ...honest, seq: 30 });
    await until(() => heard.refused).toEqual(same('replayed', 11));
    expect(heard.texts).toEqual(['pay once']);
  });

  it('cannot keep a frame back and deliver it 1,024 frames later', async () => {
    const { tap, writing, heard, catchNext } = await setUp();
    const kept = await catchNext('kept back');
    for (let i = 0; i < 1024; i++) writing.publish('on time');
    tap.inject(...(await tap.take(1024)));
    await until(() => heard.texts.length).toBe(1024);
    tap.inject({ ...kept, seq: kept.seq + 2000 });
    await until(() => heard.refused).toEqual(['too_old']);
    expect(heard.texts).toEqual(same('on time', 1024));
  });

  it('cannot move a frame to another sender, nor have it vanish as the own of who reads it', async () => {
    const others = await forge(({ sender }) => [{ sender: sender ^ 1 }, { sender: 0 }, { sender: 2 ** 32 - 1 }]);
    expect(others).toEqual(same('not_authentic', 3));
    const plain = { body: Buffer.from('plain') };
    const own = await forge(() => [{}, plain].map((change) => ({ ...change, sender: middle.latest.sender })));
    expect(own).toEqual(['not_authentic', 'not_encrypted']);
  });

  it.each([
    ['nil', undefined, [new Uint8Array(), Buffer.from('to')]],
    ['empty', new Uint8Array(), [null, Buffer.from('\0')]],
    ['of bytes', Buffer.from('to'), [null, new Uint8Array(), Buffer.from('tn'), Buffer.from('to\0'), Buffer.from('t')]],
  ])('cannot put another envelope beside a frame whose own is %s', async (_, envelope, others) => {
    const refused = await forge(() => others.map((other) => ({ envelope: other })), envelope);
    expect(refused).toEqual(same('not_authentic', others.length));
  });

  it('cannot move a frame to another channel of the same key', async () => {
    const { alice, bob, tap, heard, catchNext } = await setUp();
    const other = await blind('payroll.canteen');
    const [writing, reading] = [await alice.channel(other, { key }), await bob.channel(other, { key })];
    const elsewhere = listenTo(reading);
    const honest = await catchNext('for the room');
    await writing.publish('for the canteen');
    const [there] = (await tap.take(1)) as [Carried];
    tap.inject({ ...honest, channelId: there.channelId, seq: 1 }, { ...there, seq: 2 }, honest);
    await until(() => [...elsewhere.texts, ...heard.texts]).toEqual(['for the canteen', 'for the room']);
    expect([elsewhere.refused, heard.refused]).toEqual([['not_authentic'], []]);
  });

  it('cannot send a frame back to who sealed it, as its own or as of another', async () => {
    const { tap, tapOfAlice, toAlice, heard, catchNext } = await setUp();
    const honest = await catchNext('to the others');
    tapOfAlice.inject({ ...honest, seq: 100 }, { ...honest, sender: tap.sender, seq: 101 });
    tap.inject(honest);
    await until(() => [...toAlice.refused, ...heard.texts]).toEqual(['not_authentic', 'to the others']);
    expect(toAlice.texts).toEqual([]);
  });

  it('cannot pass a plaintext for a message, with or without the header of a true one', async () => {
    const texts = ['send money', '{"amount":1}', '', '\u{1f4b0}'.repeat(9)].map((text) => Buffer.from(text));
    const refused = await forge(({ body }) => [
      ...texts.map((text) => ({ body: text })),
      { body: Buffer.concat([body.subarray(0, HEADER_END), Buffer.from('\0send the money to me\x80')]) },
    ]);
    expect(refused).toEqual([...same('not_encrypted', 3), 'unknown_generation', 'not_authentic']);
  });

  it('drops frames only as a hole in the numbers that a HEAD counts, and cannot bring them late', async () => {
    const { tap, heard, writing, catchNext } = await setUp();
    for (let i = 10; i < 15; i++) await writing.publish(`${i}`);
    const [first, late, , , last] = (await tap.take(5)) as [Carried, Carried, Carried, Carried, Carried];
    const head = [22, first.channelId, last.seq, 0];
    tap.inject(first, last);
    await until(() => heard.texts).toEqual(['10', '14']);
    expect(heard.losses).toEqual([]);
    tap.inject(head, late, head, await catchNext('15'));
    await until(() => heard.texts).toEqual(['10', '14', '15']);
    expect(heard.losses).toMatchObject([{ count: 3, cause: 'slow_reader' }]);
    expect(heard.messages.map(({ seq }) => seq)).toEqual([10, 14, 15]);
    expect(heard.refused).toEqual([]);
  });

  it('cannot hide frames it dropped by cutting the connection', async () => {
    const { tap, heard, writing, bob, catchNext } = await setUp();
    for (let i = 0; i < 3; i++) await catchNext('dropped');
    await tap.cut(bob);
    await writing.publish('after');
    await until(() => heard.texts).toEqual(['after']);
    expect(heard.losses).toMatchObject([{ count: 3, cause: 'reconnect' }]);
  });

  it('cannot tell who is there: what it changes, repeats, moves or makes up of presence is refused, and nobody joins', async () => {
    const [[alice], [bob, tap]] = [await join('alice'), await join('bob')];
    const room = await blind('payroll.board');
    const reading = await bob.channel(room, { key, presence: true });
    const heard = listenTo(reading);
    const log: string[] = [];
    for (const event of ['join', 'update', 'leave'] as const)
      reading.presence.on(event, ({ text }) => log.push(`${event} ${text}`));
    tap.isHolding = true;
    const there = await alice.channel(room, { key, presence: true });
    await there.presence.enter('alice');
    const [who, here] = (await tap.take(2)) as [Carried, Carried];
    const bodies = [
      flipped(here.body, 8 * (here.body.length - 1)),
      Buffer.from('\x01mallory'),
      here.body.subarray(0, -1),
    ];
    const forged = [
      ...bodies.map((body) => ({ ...here, body })),
      { ...here, sender: here.sender ^ 1 },
      { ...here, envelope: Buffer.from('to') },
    ];
    tap.inject(who, ...forged.map((frame, i) => ({ ...frame, seq: here.seq + i })));
    await until(() => heard.refused).toEqual(['not_authentic', 'not_encrypted', ...same('not_authentic', 3)]);
    expect([log, reading.presence.members]).toEqual([[], []]);
    tap.inject({ ...here, seq: 20 }, { ...here, seq: 21 });
    await until(() => heard.refused.at(-1)).toBe('replayed');
    expect([log, heard.texts]).toEqual([['join alice'], []]);
  });

  it('makes no ghost of who has left, and hides nobody who is there for good', async () => {
    const [[alice], [bob, tap], [carol]] = [await join('alice'), await join('bob'), await join('carol')];
    const room = await blind('payroll.board');
    const [hers, reading, third] = await Promise.all(
      [alice, bob, carol].map((client) => client.channel(room, { key, presence: true })),
    );
    const names = (): string[] => reading?.presence.members.map(({ text }) => text).sort() ?? [];
    await hers?.presence.enter('alice');
    await third?.presence.enter('carol');
    await until(names).toEqual(['alice', 'carol']);
    const occupancy = (): number | undefined => reading?.presence.occupancy;
    await until(occupancy).toBe(3);
    tap.isHolding = true;
    await hers?.presence.enter('alice, kept back');
    const [late] = (await tap.take(1)) as [Carried];
    const leftBy = ({ sender }: Relay) => [23, late.channelId, sender];
    await alice.close();
    await until(names).toEqual(['carol']);
    await until(occupancy).toBe(2); // the relay has said its last of it
    tap.isHolding = false;
    tap.inject(late);
    await third?.presence.enter('carol, still here');
    await until(names).toEqual(['carol, still here']);
    tap.inject(leftBy(carol), [24, late.channelId, 7]);
    await until(names).toEqual([]);
    await third?.presence.enter('carol, as ever');
    await until(names).toEqual(['carol, as ever']);
    expect([reading?.presence.count, occupancy()]).toEqual([1, 7]);
  });

  it('has no frame of an earlier connection pass for one of this, by giving its id anew', async () => {
    const relay = await ScriptedRelay.start({ hello: (connection) => connection.send(welcome(7)) });
    const client = await connect(relay.url, { token: () => 'token', backoff: { firstMs: 1, maxMs: 5 } });
    const channel = await client.channel('room', { key });
    const heard = listenTo(channel);
    await channel.publish('of before');
    await client.flush();
    const sent = relay.latest.frames.find(([type]) => type === 4);
    const frame = (seq: number): Buffer => {
      const bytes = message(5, sent?.[5] as Uint8Array).fill(seq, 15, 16);
      bytes.writeUInt32BE(7, 17);
      return bytes;
    };
    relay.latest.socket.terminate();
    await until(() => relay.connections.length).toBe(2);
    await client.channel('other', { plaintext: true });
    relay.latest.send(frame(2));
    await until(() => heard.refused).toEqual(['replayed']);
    await client.close();
    await relay.stop();
  });

  it('delivers nothing to a member who has another key', async () => {
    const { first, tap, heard, catchNext } = await setUp(ChannelKey.random());
    tap.inject(await catchNext('a secret'));
    await until(() => [...first.refused]).toEqual(same('not_authentic', 10));
    expect([first.texts, heard.texts, heard.refused]).toEqual([[], [], ['not_authentic']]);
  });
});

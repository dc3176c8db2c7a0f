import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { message } from '../support/client.ts';
import { startTestRelay, stopRelays, type TestRelay } from '../support/relay.ts';
import { error, expectAlive, type Innocents, innocent, jsonOf, post, refusal } from './support.ts';

const MAX_ATTACHMENTS = 5;
const MAX_CHANNELS = 4;

describe('an attachment', () => {
  let relay: TestRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay();
    others = await innocent(relay);
  });
  afterEach(() => others.feltNothing());
  afterAll(stopRelays);

  it.each([0, 8, 9, 10, 12, 13, 14, 16, 17, 31, 256, 2 ** 31, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER])(
    'is refused for modes %d of a name',
    async (modes) => {
      const abuser = await relay.connect();
      expect(await abuser.request(2, others.channel, modes)).toEqual(error(400, 'bad_modes', 1));
      await expectAlive(abuser);
    },
  );

  it.each([0, 2, 3, 4, 5, 7, 8, 9, 11, 15, 16, 17, 2 ** 32 + 1])(
    'is refused for modes %d of a pattern',
    async (modes) => {
      const abuser = await relay.connect();
      expect(await abuser.request(2, 'innocent.*', modes)).toEqual(error(400, 'bad_modes', 1));
      await expectAlive(abuser);
    },
  );

  it.each(['twice.name', 'twice.*', 'twice.>'])('is made once: %s', async (text) => {
    const abuser = await relay.connect();
    const { channelId } = await abuser.attach(text, 1);
    const again = await abuser.request(2, text, 1);
    expect(again.slice(0, 4)).toEqual([21, 2, 409, 'already_attached']);
    expect([null, channelId]).toContain(again[5]);
    expect(await abuser.request(3, channelId)).toEqual([18, 3, channelId, 200, 'detached']);
    expect(await abuser.request(3, channelId)).toEqual(error(404, 'not_attached', 4, channelId));
  });

  it.each([0, 1, 0x7fff_ffff, 0xffff_ffff, Number.MAX_SAFE_INTEGER])(
    'is not ended by an id nobody has: %d',
    async (id) => {
      const abuser = await relay.connect();
      expect(await abuser.request(3, id)).toEqual(error(404, 'not_attached', 1, id));
      await expectAlive(abuser);
    },
  );

  it('is needed to publish to a channel, and to leave it: its id alone is not enough', async () => {
    const abuser = await relay.connect();
    abuser.send(message(others.channelId, 'intruder'));
    expect(await abuser.nextOf(21)).toEqual(error(404, 'not_attached', null, others.channelId));
    expect(await abuser.request(3, others.channelId)).toEqual(error(404, 'not_attached', 1, others.channelId));
  });

  it('without publish does not publish, and the refused takes no number', async () => {
    const abuser = await relay.connect();
    await abuser.attach(others.channel, 1 | 4);
    abuser.send(message(others.channelId, 'intruder'), message(others.channelId, 'again'), [6, 9]);
    await abuser.next((frame) => frame[0] === 20 && frame[1] === 9, 'the PONG');
    expect(abuser.frames.filter(([type]) => type === 21)).toEqual(
      Array(2).fill(error(403, 'forbidden', null, others.channelId)),
    );
  });

  it('of a pattern gives no right to publish to what it reaches, nor to leave a channel of it', async () => {
    const abuser = await relay.connect();
    const attached = await abuser.attach('innocent.*', 1);
    const named = await abuser.nextOf(27);
    expect(named).toEqual([27, others.channelId, others.channel, expect.any(Number)]);
    abuser.send(message(others.channelId, 'intruder'), message(attached.channelId, 'intruder'));
    expect(await abuser.nextOf(21)).toEqual(error(404, 'not_attached', null, others.channelId));
    expect(await abuser.nextOf(21)).toEqual(error(404, 'not_attached', null, attached.channelId));
    expect(await abuser.request(3, others.channelId)).toEqual(error(404, 'not_attached', 2, others.channelId));
    abuser.terminate();
  });

  it('is gone after DETACH: no publishing, no frames', async () => {
    const abuser = await relay.connect();
    await abuser.attach(others.channel, 1 | 2);
    await abuser.request(3, others.channelId);
    abuser.send(message(others.channelId, 'intruder'));
    expect(await abuser.nextOf(21)).toEqual(error(404, 'not_attached', null, others.channelId));
    await others.feltNothing();
    await abuser.flush();
    expect(abuser.messages()).toEqual([]);
  });

  it('of another tenant cannot be reached: the same name has another id, and that id is good for nothing', async () => {
    const stranger = await relay.connect({ iss: 'globex' });
    const own = await stranger.attach(others.channel, 1 | 2 | 4);
    const everything = await relay.connect({ iss: 'globex', sub: 'everything' });
    await everything.attach('>', 1);
    expect(own).toEqual({ channelId: expect.any(Number), seq: 0, occupancy: 1 });
    expect(own.channelId).not.toBe(others.channelId);
    stranger.send(message(others.channelId, 'intruder'));
    expect(await stranger.nextOf(21)).toEqual(error(404, 'not_attached', null, others.channelId));
    await others.feltNothing();
    await Promise.all([stranger.flush(), everything.flush()]);
    expect([...stranger.messages(), ...everything.messages()]).toEqual([]);
    expect(everything.frames.filter(([type]) => type === 27)).toEqual([[27, own.channelId, others.channel, 0]]);
  });
});

describe('attachments without end', () => {
  let relay: TestRelay;
  let others: Innocents;
  beforeAll(async () => {
    relay = await startTestRelay({
      limits: { maxAttachments: MAX_ATTACHMENTS },
      tenantLimits: { channels: MAX_CHANNELS },
    });
    others = await innocent(relay, { iss: 'globex' });
  });
  afterEach(async () => {
    await others.feltNothing();
    await channelsFreed();
  });
  afterAll(stopRelays);

  const channelsFreed = async (): Promise<void> => {
    const probe = await relay.connect({ sub: 'probe' });
    // the channels of a connection that is gone end with it: wait until one more can be made
    for (let isFree = false; !isFree; await probe.flush()) {
      const answer = await probe.request(2, 'free.1', 1);
      isFree = answer[0] === 17;
    }
    probe.terminate();
  };

  it('are refused over maxAttachments, names and patterns together, and go on after a DETACH', async () => {
    const abuser = await relay.connect();
    const ids = [];
    for (const text of ['a', 'b.*', 'c', 'd.>', '*.e']) ids.push((await abuser.attach(text, 1)).channelId);
    for (const text of ['f', 'g.*']) {
      const answer = await abuser.request(2, text, 1);
      expect(answer).toEqual(error(429, 'too_many_attachments', answer[1] as number));
    }
    await abuser.request(3, ids[1]);
    await abuser.attach('g.*', 1);
    abuser.terminate();
  });

  it('are refused over the channels of the tenant, whoever holds them, and live ones can still be joined', async () => {
    const [first, second] = [await relay.connect(), await relay.connect({ sub: 'bob' })];
    for (const name of ['w', 'x']) await first.attach(name, 1);
    for (const name of ['y', 'z']) await second.attach(name, 1);
    for (const client of [first, second]) {
      const answer = await client.request(2, 'one.too.many', 2);
      expect(answer).toEqual(error(429, 'too_many_channels', answer[1] as number));
    }
    expect((await first.attach('y', 1)).occupancy).toBe(2);
    await (await relay.connect({ iss: 'globex' })).attach('w', 1);
    first.terminate();
    second.terminate();
  });

  it('are refused over the channels of the tenant for HTTP, when a pattern would bring one to life', async () => {
    const reader = await relay.connect();
    await reader.attach('>', 1);
    for (const name of ['h.1', 'h.2', 'h.3', 'h.4']) await reader.attach(name, 1);
    const token = await relay.mint();
    const answer = await post(`${relay.httpUrl}/v1/channels/h.5/messages`, { token });
    expect(answer.status).toBe(429);
    expect(jsonOf(answer)).toEqual(refusal(429, 'too_many_channels'));
    reader.terminate();
  });
});

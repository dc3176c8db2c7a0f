import { describe, expect, it } from 'vitest';
import { MayflyError, notConnected } from '../../../src/client/errors.ts';
import type { Link } from '../../../src/client/link.ts';
import { Outbox } from '../../../src/client/outbox.ts';

/** A link that writes down the bodies it is given, as text, or is lost while it sends them. */
function fakeLink(log: string[], isLost = false): Link {
  return {
    isOpen: !isLost,
    info: { limits: { maxFrameBytes: 200 } },
    send: async (frame: Uint8Array | Promise<Uint8Array>) => {
      if (isLost) throw notConnected();
      log.push(
        Buffer.from(await frame)
          .subarray(24)
          .toString(),
      );
    },
  } as unknown as Link;
}

/** A link that is gone, which `fail` finds out. */
function dyingLink(): { dying: Link; fail: () => void } {
  const failing: (() => void)[] = [];
  const send = (): Promise<never> => new Promise((_, reject) => failing.push(() => reject(notConnected())));
  const dying = { isOpen: false, info: { limits: {} }, send } as unknown as Link;
  return {
    dying,
    fail: () => {
      for (const reject of failing) reject();
    },
  };
}

/** Nothing goes wrong with a kept message. */
const unexpected = (error: unknown): never => {
  throw error;
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('Outbox', () => {
  it('keeps what is published without a link, up to its bound, and sends it in order on the next', async () => {
    const log: string[] = [];
    const outbox = new Outbox(null, 2, unexpected);
    await outbox.publish(bytes('a'), null);
    const reused = bytes('b');
    await outbox.publish(reused, null);
    reused.fill(0);
    await expect(outbox.publish(bytes('c'), null)).rejects.toMatchObject({ code: 'buffer_full' });
    outbox.open(fakeLink(log), 1);
    await outbox.publish(bytes('d'), null);
    expect(log).toEqual(['a', 'b', 'd']);
  });

  it('sends what is published in the moment before the link comes', async () => {
    const log: string[] = [];
    const outbox = new Outbox(null, 2, unexpected);
    const publishing = outbox.publish(bytes('just before'), null);
    outbox.open(fakeLink(log), 1);
    await publishing;
    await Promise.resolve();
    expect(log).toEqual(['just before']);
  });

  it('sends on the next link what the one before lost, in its place, however late it is found to be lost', async () => {
    const log: string[] = [];
    const { dying, fail } = dyingLink();
    const outbox = new Outbox(null, 3, unexpected);
    outbox.open(dying, 1);
    const first = outbox.publish(bytes('first'), null);
    outbox.lost();
    await outbox.publish(bytes('second'), null);
    outbox.open(fakeLink(log), 2);
    await outbox.publish(bytes('third'), null);
    expect(log).toEqual([]);
    fail();
    await outbox.catchingUp;
    await first;
    await outbox.publish(bytes('fourth'), null);
    expect([log, outbox.catchingUp]).toEqual([['first', 'second', 'third', 'fourth'], null]);
  });

  it('loses nothing that it kept once, also when its place was taken meanwhile', async () => {
    const log: string[] = [];
    const { dying, fail } = dyingLink();
    const outbox = new Outbox(null, 1, unexpected);
    await outbox.publish(bytes('a'), null);
    outbox.open(dying, 1);
    outbox.lost();
    await outbox.publish(bytes('b'), null);
    outbox.open(fakeLink(log), 2);
    fail();
    await outbox.catchingUp;
    await expect.poll(() => log).toEqual(['a', 'b']);
  });

  it('says what becomes of a kept message that cannot be sent after all', async () => {
    const errors: unknown[] = [];
    const outbox = new Outbox(null, 2, (error) => errors.push(error));
    await outbox.publish(new Uint8Array(300), null);
    outbox.open(fakeLink([]), 1);
    await expect.poll(() => errors).toMatchObject([{ code: 'frame_too_large' }]);
  });

  it('keeps nothing unless asked to, nothing that is too large, and nothing once it has ended', async () => {
    const log: string[] = [];
    const [strict, patient] = [new Outbox(null, 0, unexpected), new Outbox(null, 2, unexpected)];
    await expect(strict.publish(bytes('a'), null)).rejects.toMatchObject({ code: 'not_connected' });
    patient.open(fakeLink(log), 1);
    await expect(patient.publish(new Uint8Array(300), null)).rejects.toMatchObject({
      code: 'frame_too_large',
      status: 413,
    });
    patient.lost();
    await patient.publish(bytes('kept'), null);
    patient.end(() => new MayflyError('closed', 'over'));
    await expect(patient.publish(bytes('late'), null)).rejects.toMatchObject({ code: 'closed' });
    patient.open(fakeLink(log), 2);
    expect(log).toEqual([]);
  });

  it('keeps 60,000 messages and sends them in order, those that come back from a dying link among them', async () => {
    const log: string[] = [];
    const { dying, fail } = dyingLink();
    const outbox = new Outbox(null, 60_000, unexpected);
    outbox.open(dying, 1);
    const given = Array.from({ length: 30_000 }, (_, i) => outbox.publish(bytes(`${i}`), null));
    outbox.lost();
    for (let i = 30_000; i < 60_000; i++) given.push(outbox.publish(bytes(`${i}`), null));
    fail();
    await Promise.all(given);
    await expect(outbox.publish(bytes('more'), null)).rejects.toMatchObject({ code: 'buffer_full' });
    outbox.open(fakeLink(log), 2);
    await outbox.publish(bytes('last'), null);
    expect(log).toEqual([...Array.from({ length: 60_000 }, (_, i) => `${i}`), 'last']);
  });

  it('keeps no more than 16 MiB, whatever the number of messages, and has room again once they are sent', async () => {
    const outbox = new Outbox(null, 1000, unexpected);
    const large = new Uint8Array(4 * 1024 * 1024);
    for (let i = 0; i < 4; i++) await outbox.publish(large, null);
    await expect(outbox.publish(new Uint8Array(), Uint8Array.of(1))).rejects.toMatchObject({ code: 'buffer_full' });
    const log: string[] = [];
    outbox.open({ ...fakeLink(log), info: { limits: {} } } as unknown as Link, 1);
    await expect.poll(() => log.length).toBe(4);
    outbox.lost();
    await outbox.publish(large, null);
  });
});

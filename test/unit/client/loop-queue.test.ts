import { describe, expect, it } from 'vitest';
import { LoopQueue } from '../../../src/client/loop-queue.ts';
import type { Loss } from '../../../src/client/loss.ts';
import { type Message, messageOf } from '../../../src/client/message.ts';

const message = (seq: number, channel = 'a', bytes = 0): Message =>
  messageOf({ channel, data: new Uint8Array(bytes), seq, sender: 1, envelope: null });

/** A queue, and what it tells in order. */
function setUp({ maxWaiting = 10, maxWaitingBytes = 1_000_000 } = {}) {
  const losses: Loss[] = [];
  const log: string[] = [];
  const onLoss = (loss: Loss): void => {
    losses.push(loss);
    log.push(`${loss.channel} lost ${loss.count} of ${loss.firstSeq}-${loss.lastSeq}`);
  };
  const queue = new LoopQueue({ maxWaiting, maxWaitingBytes, onLoss, onLeft: () => log.push('left') });
  const read = async (loop: AsyncIterator<Message>): Promise<void> => {
    const result = await loop.next();
    log.push(result.done === true ? 'end' : `${result.value.channel} ${result.value.seq}`);
  };
  return { queue, losses, log, read };
}

describe('LoopQueue', () => {
  it('gives what waits, then what comes, and ends once all is read', async () => {
    const { queue, log, read } = setUp();
    const loop = queue.begin();
    queue.push(message(1));
    const reading = [read(loop), read(loop)];
    queue.push(message(2));
    queue.push(message(3));
    queue.end();
    await Promise.all(reading);
    await read(loop);
    await read(loop);
    expect(log).toEqual(['a 1', 'a 2', 'a 3', 'end']);
  });

  it('drops the oldest over its limit, and tells the loop when it reads on, in one for each channel', async () => {
    const { queue, log, losses, read } = setUp({ maxWaiting: 2 });
    const loop = queue.begin();
    for (const seq of [1, 2, 3, 4]) queue.push(message(seq));
    queue.push(message(1, 'b'));
    queue.push(message(2, 'b'));
    expect(log).toEqual([]);
    await read(loop);
    expect(log).toEqual(['a lost 4 of 1-4', 'b 1']);
    expect(losses[0]?.loop).toBe(loop);
  });

  it('leaves what was not read to the next loop, with what comes in between and what there was no room for', async () => {
    const { queue, log, losses, read } = setUp({ maxWaiting: 2 });
    const first = queue.begin();
    for (const seq of [1, 2]) queue.push(message(seq));
    await read(first);
    await first.return?.();
    expect(queue.isFree).toBe(true);
    for (const seq of [3, 4]) queue.push(message(seq));
    const second = queue.begin();
    for (let i = 0; i < 2; i++) await read(second);
    expect(log).toEqual(['a 1', 'left', 'a lost 1 of 2-2', 'a 3', 'a 4']);
    expect(losses[0]?.loop).toBe(second);
  });

  it('gives nothing to a loop that was left, and ends what that was waiting for', async () => {
    const { queue, log, read } = setUp();
    const first = queue.begin();
    const reading = read(first);
    await first.return?.();
    await first.return?.();
    const second = queue.begin();
    queue.push(message(1));
    await read(first);
    await read(second);
    await reading;
    expect(log).toEqual(['left', 'end', 'end', 'a 1']);
  });

  it('bounds what waits in memory, the padding behind a text included', async () => {
    const { queue, log, read } = setUp({ maxWaitingBytes: 10_000 });
    const loop = queue.begin();
    const padded = messageOf({ ...message(3), data: new Uint8Array(4000).subarray(0, 1) });
    for (const each of [message(1, 'a', 4000), message(2, 'a', 4000), padded]) queue.push(each);
    await read(loop);
    queue.push(message(4, 'a', 10_000));
    read(loop); // waits, and has been told
    expect(log).toEqual(['a lost 1 of 1-1', 'a 2', 'a lost 2 of 3-4']);
  });

  it('tells a loop what it has missed before it ends, and nobody what a loop that was left would have', async () => {
    for (const isLeft of [false, true]) {
      const { queue, log } = setUp({ maxWaiting: 1 });
      const loop = queue.begin();
      if (isLeft) await loop.return?.();
      queue.push(message(1));
      queue.push(message(2));
      queue.end();
      expect(log).toEqual(isLeft ? ['left'] : ['a lost 1 of 1-1']);
    }
  });

  it('tells losses apart when the channel of a name ended and another began to count anew', async () => {
    const { queue, log, read } = setUp({ maxWaiting: 1 });
    const loop = queue.begin();
    for (const seq of [7, 8, 1, 2]) queue.push(message(seq));
    await read(loop);
    expect(log).toEqual(['a lost 2 of 7-8', 'a lost 1 of 1-1', 'a 2']);
  });

  it('keeps the losses of so many channels at most, and tells the oldest early', async () => {
    const { queue, log, read } = setUp({ maxWaiting: 0 });
    const loop = queue.begin();
    for (let i = 0; i < 3000; i++) queue.push(message(1, `c${i}`));
    const early = log.length;
    queue.end();
    await read(loop);
    expect([early, log.length, log[0]]).toEqual([3000 - 1024, 3001, 'c0 lost 1 of 1-1']);
  });
});

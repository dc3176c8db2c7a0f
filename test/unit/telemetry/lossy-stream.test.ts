import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LossyStream } from '../../../src/telemetry/lossy-stream.ts';

describe('a stream that may lose lines', () => {
  it('keeps a bounded number of bytes for a reader who stands still, counts the rest, and goes on when it is read', () => {
    let reads: (() => void) | undefined;
    let bytes = 0;
    const target = new Writable({
      write(chunk: Buffer, _encoding, done) {
        bytes += chunk.length;
        reads = done;
      },
    });
    const stream = new LossyStream(() => target);
    for (let line = 0; line < 1000; line++) stream.write(`${'x'.repeat(999)}\n`);
    expect(target.writableLength).toBeLessThan(67_000);
    expect(stream.linesLost).toBe(1000 - target.writableLength / 1000);
    const lost = stream.linesLost;
    for (let line = lost; line < 1000; line++) reads?.();
    stream.write('again\n');
    expect([bytes, stream.linesLost]).toEqual([(1000 - lost) * 1000 + 6, lost]);
  });

  it('counts a line that could not be written', async () => {
    const taken: string[] = [];
    const target = new Writable({
      autoDestroy: false,
      write(chunk: Buffer, _encoding, done) {
        if (chunk.includes('bad')) done(new Error('ENOSPC'));
        else done(void taken.push(chunk.toString()));
      },
    });
    const stream = new LossyStream(() => target);
    stream.write('good\n');
    stream.write('bad\n');
    await expect.poll(() => stream.linesLost).toBe(1);
    expect(taken).toEqual(['good\n']);
  });
});

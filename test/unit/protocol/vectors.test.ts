import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeFrame, readClientFrame, readRelayFrame } from '../../../src/protocol/codec.ts';
import type { ClientFrame, RelayFrame } from '../../../src/protocol/frames.ts';
import { encodeMessage, isMessage, messageEnd } from '../../../src/protocol/message.ts';
import { readVectors } from '../../support/vectors.ts';

const { frames, batches, ignored, invalid } = readVectors();
const small = frames.filter((vector) => vector.hex !== undefined);
const bytesOf = (hex: string | undefined): Uint8Array => new Uint8Array(Buffer.from(hex ?? '', 'hex'));

describe('the vectors', () => {
  it.each(small.filter(({ direction }) => direction === 'to-client'))(
    'are read by a client: $name',
    ({ hex, values }) => {
      const bytes = bytesOf(hex);
      const read = readRelayFrame(bytes, 0);
      expect(read).toEqual({ frame: values, end: bytes.length });
    },
  );

  it.each(small.filter(({ direction, values }) => direction === 'to-relay' && values[0] !== 4))(
    'are read by the relay: $name',
    ({ hex, values }) => {
      const bytes = bytesOf(hex);
      expect(readClientFrame(bytes, 0)).toEqual({ frame: values, end: bytes.length });
    },
  );

  it.each(small.filter(({ values }) => values[0] !== 4 && values[0] !== 16))(
    'are written as the independent encoder writes them: $name',
    ({ hex, values }) => {
      const frame = values as unknown as ClientFrame | RelayFrame;
      const written = Buffer.from(encodeFrame(frame)).toString('hex');
      // widths other than the shortest are legal to send, and not what we send; WELCOME holds a map, whose order is free
      if (written.length === hex?.length) expect(written).toBe(hex);
      else expect(written.length).toBeLessThan(hex?.length ?? 0);
    },
  );

  const written = frames.filter(
    ({ direction, values }) => direction === 'to-relay' && values[0] === 4 && values[2] === 0,
  );
  it.each(written)('hold MESSAGE as clients write it: $name', (vector) => {
    const [, channelId, , , envelope, body] = vector.values as [
      number,
      number,
      number,
      number,
      Uint8Array | null,
      Uint8Array,
    ];
    const bytes = encodeMessage(channelId, envelope, body);
    if (vector.hex !== undefined) expect(Buffer.from(bytes).toString('hex')).toBe(vector.hex);
    else expect(createHash('sha256').update(bytes).digest('hex')).toBe(vector.sha256);
    expect(isMessage(bytes, 0) && messageEnd(bytes, 0)).toBe(bytes.length);
  });

  it.each(batches.filter(({ direction }) => direction === 'to-client'))(
    'hold several frames in one message: $name',
    ({ hex, frames: expected }) => {
      const bytes = bytesOf(hex);
      const read: unknown[] = [];
      for (let pos = 0; pos < bytes.length; ) {
        const next = readRelayFrame(bytes, pos);
        if (typeof next === 'string') throw new Error(next);
        if (next.frame !== undefined) read.push(next.frame);
        pos = next.end;
      }
      expect(read).toEqual(expected.filter(([type]) => typeof type === 'number' && type <= 27));
    },
  );

  it.each(ignored)('hold frames of later versions, which a client skips: $name', ({ hex }) => {
    const bytes = bytesOf(hex);
    expect(readRelayFrame(bytes, 0)).toEqual({ frame: undefined, end: bytes.length });
  });

  it('hold frames that no relay reads whole', () => {
    expect(invalid.length).toBeGreaterThan(50);
  });
});

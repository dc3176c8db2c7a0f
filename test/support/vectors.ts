import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A frame as bytes and as values; bytes among the values are `Uint8Array`. Large ones have a prefix, a length and a hash instead of `hex`. */
interface FrameVector {
  readonly name: string;
  readonly direction: 'to-relay' | 'to-client';
  readonly hex?: string;
  readonly hexPrefix?: string;
  readonly length?: number;
  readonly sha256?: string;
  readonly values: readonly unknown[];
}

/** Several frames in one WebSocket message. */
interface BatchVector {
  readonly name: string;
  readonly direction: 'to-relay' | 'to-client';
  readonly hex: string;
  readonly frames: readonly (readonly unknown[])[];
}

/** test/vectors/frames.json, written by test/vectors/generate.py from docs/PROTOCOL.md with another msgpack library. */
export interface Vectors {
  readonly frames: readonly FrameVector[];
  readonly batches: readonly BatchVector[];
  readonly ignored: readonly { readonly name: string; readonly hex: string }[];
  readonly invalid: readonly { readonly hex: string; readonly reason: string }[];
}

/** Reads the vectors, turning `{"hex": …}` and `{"repeat": …, "count": …}` into bytes. */
export function readVectors(): Vectors {
  const file = fileURLToPath(new URL('../vectors/frames.json', import.meta.url));
  return JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) =>
    key === 'invalid' ? value : bytesOf(value),
  ) as Vectors;
}

function bytesOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const { hex, repeat, count, ...rest } = value as Record<string, unknown>;
  if (Object.keys(rest).length > 0) return value;
  if (typeof hex === 'string') return new Uint8Array(Buffer.from(hex, 'hex'));
  if (typeof repeat === 'string') return new Uint8Array(Buffer.from(repeat.repeat(Number(count)), 'hex'));
  return value;
}

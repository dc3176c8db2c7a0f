/** A WebSocket message of replies stays below uWebSockets.js's cork buffer of 16 KiB. */
const MESSAGE_BYTES = 16 * 1024 - 16;

/**
 * Puts frames behind one another in as few WebSocket messages as may be; a frame is never split. A message is good until the next one is
 * asked for; it and its frames are overwritten then.
 */
export function* pack(frames: readonly Uint8Array[]): Generator<Uint8Array> {
  let first = 0;
  let size = 0;
  for (const [i, frame] of frames.entries()) {
    if (i > first && size + frame.length > MESSAGE_BYTES) {
      yield* passing(frames.slice(first, i), size);
      first = i;
      size = 0;
    }
    size += frame.length;
  }
  if (frames.length > first) yield* passing(frames.slice(first), size);
}

/** One message, overwritten also when nobody asks for the next. */
function* passing(frames: readonly Uint8Array[], size: number): Generator<Uint8Array> {
  const message = join(frames, size);
  try {
    yield message;
  } finally {
    for (const bytes of [message, ...frames]) bytes.fill(0);
  }
}

function join(frames: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = frames;
  if (only !== undefined && frames.length === 1) return only;
  const message = new Uint8Array(size);
  let pos = 0;
  for (const frame of frames) {
    message.set(frame, pos);
    pos += frame.length;
  }
  return message;
}

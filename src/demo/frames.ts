import { CLIENT_SHAPES, FrameType, RELAY_SHAPES } from '../protocol/frames.ts';
import { valueEnd } from '../protocol/scan.ts';
import { findFrame } from '../protocol/shape.ts';
import { fromBase64url } from './base64url.ts';
import { recordOf } from './json.ts';

/** The frames the page shows, as the relay reads them: docs/PROTOCOL.md, section 2. `size` is in bytes. */
export type Frame =
  | { readonly type: 'hello'; readonly size: number; readonly user: string }
  | { readonly type: 'attach'; readonly size: number; readonly channel: string }
  | { readonly type: 'welcome'; readonly sender: number }
  | { readonly type: 'message'; readonly seq: number; readonly sender: number; readonly body: Uint8Array };

const SHAPES = { ...CLIENT_SHAPES, ...RELAY_SHAPES };

/** The frames in a WebSocket message of either direction; those of other types are left out. */
export function framesIn(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let start = 0; start < bytes.length; ) {
    const found = findFrame(bytes, start, SHAPES);
    if (typeof found === 'string') break;
    const frame = readFrame(bytes.subarray(start, found.end), found.type);
    if (frame !== undefined) frames.push(frame);
    start = found.end;
  }
  return frames;
}

function readFrame(bytes: Uint8Array, type: number): Frame | undefined {
  const second = (): number => valueEnd(bytes, 2, bytes.length);
  switch (type) {
    case FrameType.HELLO:
      return { type: 'hello', size: bytes.length, user: userOf(readText(bytes, second())) };
    case FrameType.ATTACH:
      return { type: 'attach', size: bytes.length, channel: readText(bytes, second()) };
    case FrameType.WELCOME:
      return { type: 'welcome', sender: readUint(bytes, 2) };
    case FrameType.MESSAGE:
      return readMessage(bytes);
  }
  return undefined;
}

/** Section 7: everything up to the envelope stands at a fixed offset, and the body is the last value. */
function readMessage(bytes: Uint8Array): Frame {
  const body = valueEnd(bytes, 21, bytes.length);
  const headerBytes = { 196: 2, 197: 3 }[Number(bytes[body])] ?? 5;
  return {
    type: 'message',
    seq: readUint(bytes, 7),
    sender: readUint(bytes, 16),
    body: bytes.slice(body + headerBytes),
  };
}

/** An unsigned integer of msgpack; findFrame checked that there is one. */
function readUint(bytes: Uint8Array, pos: number): number {
  const tag = bytes[pos] ?? 0;
  if (tag <= 0x7f) return tag;
  return bytes.subarray(pos + 1, valueEnd(bytes, pos, bytes.length)).reduce((value, byte) => value * 256 + byte, 0);
}

/** A str of msgpack: a fixstr, or one whose length takes 1, 2 or 4 bytes. */
function readText(bytes: Uint8Array, pos: number): string {
  const headerBytes = { 217: 2, 218: 3, 219: 5 }[Number(bytes[pos])] ?? 1;
  return new TextDecoder().decode(bytes.subarray(pos + headerBytes, valueEnd(bytes, pos, bytes.length)));
}

/** The user a token is for: the claims of a JWT are signed, not secret. */
function userOf(token: string): string {
  const claims = fromBase64url(token.split('.')[1] ?? '') ?? new Uint8Array();
  const { sub } = recordOf(new TextDecoder().decode(claims));
  return typeof sub === 'string' ? sub : 'unknown';
}

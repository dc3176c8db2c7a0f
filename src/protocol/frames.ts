/** The WebSocket subprotocol a client must offer. */
export const SUBPROTOCOL = 'mayfly.v1';
/** The version HELLO must name. */
export const VERSION = 1;
/** Longest token, in bytes. */
export const MAX_TOKEN_BYTES = 8192;
/** Largest ref a client may choose. */
export const MAX_REF = 0xffff_ffff;

/** The first element of each frame. Source: docs/PROTOCOL.md, section 2. */
export const FrameType = {
  HELLO: 1,
  ATTACH: 2,
  DETACH: 3,
  MESSAGE: 4,
  RENEW: 5,
  PING: 6,
  WELCOME: 16,
  ATTACHED: 17,
  DETACHED: 18,
  RENEWED: 19,
  PONG: 20,
  ERROR: 21,
  HEAD: 22,
  LEFT: 23,
  OCCUPANCY: 24,
  EXPIRING: 25,
  GOAWAY: 26,
  NAMED: 27,
} as const;

/** The bits of ATTACH's modes. */
export const Mode = { SUBSCRIBE: 1, PUBLISH: 2, PRESENCE: 4, ECHO: 8 } as const;

/** What WELCOME tells a connection. Sizes in bytes, `expiry` in seconds since 1970. */
export interface WelcomeInfo {
  readonly boot: string;
  readonly expiry: number;
  readonly limits: Readonly<Record<string, number>>;
}

/** A frame from a client, MESSAGE apart (protocol/message reads it in place). */
export type ClientFrame =
  | readonly [type: typeof FrameType.HELLO, version: number, token: string | null]
  | readonly [type: typeof FrameType.ATTACH, ref: number, channel: string, modes: number]
  | readonly [type: typeof FrameType.DETACH, ref: number, channelId: number]
  | readonly [type: typeof FrameType.RENEW, ref: number, token: string | null]
  | readonly [type: typeof FrameType.PING, ref: number];

/** A frame from the relay. A MESSAGE is decoded for clients only; the relay never does. */
export type RelayFrame =
  | readonly [
      type: typeof FrameType.MESSAGE,
      channelId: number,
      seq: number,
      sender: number,
      envelope: Uint8Array | null,
      body: Uint8Array,
    ]
  | readonly [type: typeof FrameType.WELCOME, sender: number, info: WelcomeInfo]
  | readonly [
      type: typeof FrameType.ATTACHED,
      ref: number,
      channelId: number,
      modes: number,
      seq: number,
      occupancy: number,
    ]
  | readonly [type: typeof FrameType.DETACHED, ref: number | null, channelId: number, status: number, code: string]
  | readonly [type: typeof FrameType.RENEWED, ref: number, expiry: number]
  | readonly [type: typeof FrameType.PONG, ref: number]
  | readonly [
      type: typeof FrameType.ERROR,
      ref: number | null,
      status: number,
      code: string,
      detail: string,
      channelId: number | null,
    ]
  | readonly [type: typeof FrameType.HEAD, channelId: number, seq: number, own: number]
  | readonly [type: typeof FrameType.LEFT, channelId: number, sender: number]
  | readonly [type: typeof FrameType.OCCUPANCY, channelId: number, count: number]
  | readonly [type: typeof FrameType.EXPIRING, inMs: number]
  | readonly [type: typeof FrameType.GOAWAY, reconnectInMs: number, reason: string]
  | readonly [type: typeof FrameType.NAMED, channelId: number, channel: string, seq: number];

/** What an element of a frame may be. */
export type Kind = 'uint' | 'uint?' | 'str' | 'str?' | 'bin' | 'bin?' | 'map';

/** The elements after the type, for each frame a client may send but MESSAGE. */
export const CLIENT_SHAPES: Readonly<Record<number, readonly Kind[]>> = {
  [FrameType.HELLO]: ['uint', 'str?'],
  [FrameType.ATTACH]: ['uint', 'str', 'uint'],
  [FrameType.DETACH]: ['uint', 'uint'],
  [FrameType.RENEW]: ['uint', 'str?'],
  [FrameType.PING]: ['uint'],
};

/** The elements after the type, for each frame the relay may send. */
export const RELAY_SHAPES: Readonly<Record<number, readonly Kind[]>> = {
  [FrameType.MESSAGE]: ['uint', 'uint', 'uint', 'bin?', 'bin'],
  [FrameType.WELCOME]: ['uint', 'map'],
  [FrameType.ATTACHED]: ['uint', 'uint', 'uint', 'uint', 'uint'],
  [FrameType.DETACHED]: ['uint?', 'uint', 'uint', 'str'],
  [FrameType.RENEWED]: ['uint', 'uint'],
  [FrameType.PONG]: ['uint'],
  [FrameType.ERROR]: ['uint?', 'uint', 'str', 'str', 'uint?'],
  [FrameType.HEAD]: ['uint', 'uint', 'uint'],
  [FrameType.LEFT]: ['uint', 'uint'],
  [FrameType.OCCUPANCY]: ['uint', 'uint'],
  [FrameType.EXPIRING]: ['uint'],
  [FrameType.GOAWAY]: ['uint', 'str'],
  [FrameType.NAMED]: ['uint', 'str', 'uint'],
};

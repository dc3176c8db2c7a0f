export { hasWildcard, isChannelName, MAX_CHANNEL_BYTES, MAX_SEGMENTS, parsePattern } from './channel.ts';
export { encodeFrame, type Read, readRelayFrame } from './codec.ts';
export { CLOSE_CODE, type CloseName, ERROR_STATUS, type ErrorCode, type Refusal } from './codes.ts';
export {
  type ClientFrame,
  FrameType,
  MAX_REF,
  MAX_TOKEN_BYTES,
  Mode,
  type RelayFrame,
  SUBPROTOCOL,
  VERSION,
  type WelcomeInfo,
} from './frames.ts';
export { encodeMessage, messageBytes } from './message.ts';
